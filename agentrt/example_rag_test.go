package agentrt_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/compat/modelserver"
	"github.com/agentrt/agentrt/examples"
	"github.com/agentrt/agentrt/internal/apptest"
	"github.com/pocketbase/pocketbase/core"
)

type ragApp struct {
	*app
	teams, tokens, users map[string]string
}

// newRAG runs the template with a team of two users and one of one: ann and cid are
// in Alpha, bob is in Beta, dan in none.
func newRAG(t *testing.T) *ragApp {
	t.Helper()
	dir := t.TempDir()
	if err := examples.Copy("rag", dir); err != nil {
		t.Fatal(err)
	}
	config := agentrt.Config{CacheDir: cacheDir}
	_, useModel := newModel(t, modelserver.Config{})
	useModel(&config)
	r := &ragApp{teams: map[string]string{}, tokens: map[string]string{"": ""}, users: map[string]string{}}
	started, err := apptest.Start(dir, nil, config, func(app core.App) error {
		collections, err := os.ReadFile(filepath.Join(dir, "collections.json"))
		if err != nil {
			return err
		}
		return app.ImportCollectionsByMarshaledJSON(collections, false)
	})
	if err != nil {
		t.Fatal(err)
	}
	r.app = &app{started, t}
	t.Cleanup(func() {
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
	})
	for _, team := range []string{"Alpha", "Beta"} {
		r.teams[team] = r.record("teams", map[string]any{"name": team}).Id
	}
	for user, team := range map[string]string{"ann": "Alpha", "cid": "Alpha", "bob": "Beta", "dan": ""} {
		record := r.record("users", map[string]any{"email": user + "@example.com", "password": "1234567890"})
		token, err := record.NewAuthToken()
		if err != nil {
			t.Fatal(err)
		}
		r.users[user], r.tokens[user] = record.Id, token
		if team != "" {
			r.record("members", map[string]any{"team": r.teams[team], "user": record.Id})
		}
	}
	return r
}

func (r *ragApp) record(collection string, values map[string]any) *core.Record {
	r.t.Helper()
	c, err := r.FindCollectionByNameOrId(collection)
	if err != nil {
		r.t.Fatal(err)
	}
	record := core.NewRecord(c)
	record.Load(values)
	if err := r.Save(record); err != nil {
		r.t.Fatal(err)
	}
	return record
}

// upload sends a document as a form; a file's name comes before ":".
func (r *ragApp) upload(user, owner, team, title, file, text string) (status int, id string) {
	r.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range map[string]string{"title": title, "team": r.teams[team], "owner": r.users[owner]} {
		_ = form.WriteField(name, value)
	}
	if file == "" {
		_ = form.WriteField("text", text)
	} else {
		w, err := form.CreateFormFile("file", file)
		if err != nil {
			r.t.Fatal(err)
		}
		_, _ = w.Write([]byte(text))
	}
	_ = form.Close()
	res := r.do(http.MethodPost, "/../collections/documents/records", body.String(), "Authorization", r.tokens[user], "Content-Type", form.FormDataContentType())
	var got struct{ ID string }
	_ = json.Unmarshal([]byte(res.body), &got)
	return res.status, got.ID
}

// ready waits until the passages of all documents are embedded.
func (r *ragApp) ready() {
	r.t.Helper()
	soon(r.t, "all documents are indexed", func() bool {
		n, err := r.CountRecords("documents")
		waiting, err2 := r.FindAllRecords("documents")
		if err != nil || err2 != nil {
			r.t.Fatal(err, err2)
		}
		return n > 0 && !slices.ContainsFunc(waiting, func(d *core.Record) bool { return d.GetString("status") == "" })
	})
	r.idle()
}

type ragSource struct {
	N                     int
	Document, Title, Text string
	Headings              string
	Page, Start, End      int
	Score                 float64
}

func (r *ragApp) ask(user, question, team string) (status int, answer string, sources, cited []ragSource) {
	r.t.Helper()
	body, _ := json.Marshal(map[string]any{"messages": []map[string]string{{"role": "user", "content": question}}, "team": team})
	if team == "" {
		body, _ = json.Marshal(map[string]any{"messages": []map[string]string{{"role": "user", "content": question}}})
	}
	res := r.do(http.MethodPost, "/rag/chat", string(body), "Authorization", r.tokens[user], "Content-Type", "application/json")
	if res.status != http.StatusOK {
		return res.status, res.body, nil, nil
	}
	done := false
	for block := range strings.SplitSeq(strings.TrimSpace(res.body), "\n\n") {
		name, data, ok := strings.Cut(strings.TrimPrefix(block, "event: "), "\ndata: ")
		var err error
		switch name {
		case "sources":
			err = json.Unmarshal([]byte(data), &sources)
		case "done":
			done, err = true, json.Unmarshal([]byte(data), &cited)
		case "token":
			var token string
			err = json.Unmarshal([]byte(data), &token)
			answer += token
		default:
			ok = false
		}
		if !ok || err != nil {
			r.t.Fatalf("event %q: %v", block, err)
		}
	}
	if !done {
		r.t.Errorf("the stream has no end: %s", res.body)
	}
	return res.status, answer, sources, cited
}

func TestRAG(t *testing.T) {
	r := newRAG(t)
	secret := "The launch code of Beta is swordfish."
	documents := map[string]string{}
	for _, d := range []struct{ user, team, title, file, text string }{
		{"ann", "Alpha", "Alpha handbook", "handbook.md", "# Handbook\n\n## Vacation\n\nEverybody at Alpha has 28 days of vacation.\n\n## Launch\n\nThe launch of Alpha is in May.\n"},
		{"cid", "Alpha", "Alpha notes", "", "The cafeteria closes at three."},
		{"bob", "Beta", "Beta plans", "plans.html", "<h1>Plans</h1><p>" + secret + "</p><p>Everybody at Beta has 33 days of vacation.</p>"},
		{"bob", "Beta", "Beta prices", "prices.csv", "item,price\nlaunch pad,900\nswordfish,12\n"},
	} {
		status, id := r.upload(d.user, d.user, d.team, d.title, d.file, d.text)
		if status != http.StatusOK {
			t.Fatalf("%s: %d", d.title, status)
		}
		documents[id] = d.team
	}
	r.ready()

	t.Run("citations", func(t *testing.T) {
		_, answer, sources, cited := r.ask("ann", "How many days of vacation are there?", "")
		if !strings.Contains(answer, "28 days") || len(cited) != 1 {
			t.Fatalf("%q of %+v, cited %+v", answer, sources, cited)
		}
		c := cited[0]
		if !strings.Contains(answer, fmt.Sprintf("[%d]", c.N)) || c.Title != "Alpha handbook" || c.Headings != "Handbook > Vacation" || !strings.Contains(c.Text, "28 days") {
			t.Errorf("cited %+v in %q", c, answer)
		}
		record, err := r.FindRecordById("documents", c.Document)
		if err != nil || record.GetString("title") != c.Title {
			t.Errorf("the document of the citation: %v, %v", record, err)
		}
		if _, answer, _, _ = r.ask("bob", "How many days of vacation are there?", ""); !strings.Contains(answer, "33 days") {
			t.Errorf("bob gets %q", answer)
		}
	})

	t.Run("no passage of another team", func(t *testing.T) {
		questions := []string{secret, "launch code swordfish", "What is the launch code of Beta?", "vacation at Beta 33 days", "launch pad price 900", "Everybody", "a"}
		for user, team := range map[string]string{"ann": "Alpha", "cid": "Alpha", "bob": "Beta", "dan": ""} {
			for _, question := range questions {
				for _, filter := range []string{"", r.teams["Alpha"], r.teams["Beta"], `x" || team != "`, `" || 1=1 || "`, "'"} {
					status, answer, sources, _ := r.ask(user, question, filter)
					if status != http.StatusOK {
						t.Errorf("%s, %q, team %q: %d %s", user, question, filter, status, answer)
					}
					for _, s := range sources {
						if documents[s.Document] != team || s.Title == "" {
							t.Errorf("%s of %q got a passage of %s: %+v", user, team, documents[s.Document], s)
						}
						if filter != "" && filter != r.teams[team] {
							t.Errorf("%s asked team %q and got %+v", user, filter, s)
						}
					}
					if team != "Beta" && strings.Contains(strings.ReplaceAll(answer, question, ""), "swordfish") {
						t.Errorf("%s got the answer %q", user, answer)
					}
				}
			}
		}
		_, _, sources, _ := r.ask("bob", secret, "")
		if len(sources) == 0 || !strings.Contains(sources[0].Text, secret) {
			t.Errorf("the team's own passage is not the first: %+v", sources)
		}
	})

	t.Run("guests and the Web API", func(t *testing.T) {
		if status, _, _, _ := r.ask("", "vacation", ""); status != http.StatusUnauthorized {
			t.Errorf("a guest gets %d", status)
		}
		for _, path := range []string{"/../collections/passages/records", "/../collections/documents/records"} {
			if got := r.get(path, "Authorization", r.tokens["ann"]); got.status != http.StatusOK || strings.Contains(got.body, "Beta") || !strings.Contains(got.body, "Alpha") {
				t.Errorf("%s: %d %s", path, got.status, got.body)
			}
		}
		got := r.do(http.MethodPost, "/../collections/passages/vector-search", `{"text":"launch code swordfish","top":100}`, "Authorization", r.tokens["ann"], "Content-Type", "application/json")
		if got.status != http.StatusOK || strings.Contains(got.body, "swordfish") || !strings.Contains(got.body, "Alpha") {
			t.Errorf("vector-search: %d %s", got.status, got.body)
		}
		for _, c := range []struct{ user, owner, team string }{{"ann", "ann", "Beta"}, {"ann", "bob", "Alpha"}, {"dan", "dan", "Alpha"}} {
			if status, _ := r.upload(c.user, c.owner, c.team, "x", "", "x"); status != http.StatusBadRequest {
				t.Errorf("an upload by %s for %s to %s gets %d", c.user, c.owner, c.team, status)
			}
		}
		for _, body := range []string{`{}`, `{"messages":[]}`, `{"messages":[{"role":"user","content":" "}]}`, `{"messages":[{"role":"user","content":"a"}],"team":1}`} {
			if got := r.do(http.MethodPost, "/rag/chat", body, "Authorization", r.tokens["ann"]); got.status != http.StatusBadRequest {
				t.Errorf("%s: %d %s", body, got.status, got.body)
			}
		}
	})

	t.Run("membership counts at once", func(t *testing.T) {
		member := r.record("members", map[string]any{"team": r.teams["Beta"], "user": r.users["dan"]})
		if _, _, sources, _ := r.ask("dan", secret, ""); len(sources) == 0 {
			t.Error("a new member gets nothing")
		}
		if err := r.Delete(member); err != nil {
			t.Fatal(err)
		}
		if _, answer, sources, _ := r.ask("dan", secret, ""); len(sources) != 0 || !strings.Contains(answer, "I found nothing") {
			t.Errorf("a former member gets %q from %+v", answer, sources)
		}
	})

	t.Run("a changed text", func(t *testing.T) {
		for id := range documents {
			if record, err := r.FindRecordById("documents", id); err != nil {
				t.Fatal(err)
			} else if record.GetString("title") == "Alpha notes" {
				record.Set("text", "The cafeteria closes at five.")
				if err := r.Save(record); err != nil {
					t.Fatal(err)
				}
			}
		}
		soon(t, "the new text is found", func() bool {
			_, answer, _, _ := r.ask("cid", "When does the cafeteria close?", "")
			return strings.Contains(answer, "closes at five")
		})
	})

	t.Run("files that cannot be read, and deletion", func(t *testing.T) {
		_, id := r.upload("ann", "ann", "Alpha", "picture", "a.docx", "no docx")
		r.ready()
		record, err := r.FindRecordById("documents", id)
		if err != nil || record.GetString("status") != "failed" || !strings.Contains(record.GetString("error"), "the file is damaged") {
			t.Errorf("got %v, %v", record, err)
		}
		for id, team := range documents {
			if team == "Alpha" {
				record, err := r.FindRecordById("documents", id)
				if err != nil {
					t.Fatal(err)
				}
				if err := r.Delete(record); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, _, sources, _ := r.ask("ann", "vacation", ""); len(sources) != 0 {
			t.Errorf("passages of deleted documents: %+v", sources)
		}
	})
}
