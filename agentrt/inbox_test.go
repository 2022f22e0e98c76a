package agentrt_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/compat/modelserver"
	"github.com/agentrt/agentrt/examples"
	"github.com/agentrt/agentrt/internal/apptest"
	"github.com/pocketbase/pocketbase/core"
)

// TestSupportInbox runs the example: a guest's ticket is classified, gets a draft,
// and is in the digest.
func TestSupportInbox(t *testing.T) {
	dir := t.TempDir()
	if err := examples.Copy("support-inbox", dir); err != nil {
		t.Fatal(err)
	}
	digests := make(chan string, 1)
	channel := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		digests <- string(body)
	}))
	t.Cleanup(channel.Close)
	model, use := newModel(t, modelserver.Config{APIKey: "test"})
	config := agentrt.Config{CacheDir: cacheDir, FunctionsDir: filepath.Join(dir, "pb_serverless")}
	use(&config)
	config.AllowNet = append(config.AllowNet, strings.TrimPrefix(channel.URL, "http://"))
	config.Env["DIGEST_WEBHOOK"] = channel.URL + "/hook"
	collections, err := os.ReadFile(filepath.Join(dir, "collections.json"))
	if err != nil {
		t.Fatal(err)
	}
	started, err := apptest.Start(t.TempDir(), nil, config, func(app core.App) error { return app.ImportCollectionsByMarshaledJSON(collections, false) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := started.Stop(); err != nil {
			t.Error(err)
		}
	})
	a := &app{started, t}
	post := func(body string) reply {
		return a.do(http.MethodPost, "/../collections/tickets/records", body, "Content-Type", "application/json")
	}
	if got := post(`{"email":"eve@example.com","subject":"x","body":"x","draft":"mine"}`); got.status != 400 {
		t.Errorf("a guest that sets the draft: %d %s", got.status, got.body)
	}
	if got := post(`{"email":"ada@example.com","subject":"Billing","body":"Priority high: when does the refund reach my card?"}`); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	ticket := func() *core.Record {
		r, err := a.FindFirstRecordByData("tickets", "email", "ada@example.com")
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := ticket(); r.GetString("category") != "billing" || r.GetString("priority") != "high" {
		t.Errorf("category %q, priority %q", r.GetString("category"), r.GetString("priority"))
	}
	eventually(t, func() bool { return ticket().GetString("status") == "drafted" }, func() string { return "no draft" })
	if draft := ticket().GetString("draft"); !strings.Contains(draft, "Refunds reach the card within five working days") {
		t.Errorf("draft %q", draft)
	}
	if n := len(model.Requests()); n != 2 {
		t.Errorf("the model was asked %d times, want 2", n)
	}
	if got := a.do(http.MethodPost, "/../crons/digest", "", "Authorization", a.superuser()); got.status != 204 {
		t.Fatalf("starting the job: %d %s", got.status, got.body)
	}
	if got := <-digests; !strings.Contains(got, `1 tickets wait, 1 of them are new.\n- [high, billing] Billing`) {
		t.Errorf("digest %s", got)
	}
}
