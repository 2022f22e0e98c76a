package agentrt_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/internal/apptest"
	"github.com/pocketbase/pocketbase/core"
)

// TestTxBusy: pb.tx gives up when others write for half a minute.
func TestTxBusy(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	a := newApp(t, map[string]string{"routes/tx.ts": `
		export const config = { timeout: "2m" };
		export const GET = async () => {
			try {
				await pb.tx(() => {});
				return new Response("no error");
			} catch (e: any) {
				return new Response(e.code + ": " + e.message);
			}
		};`})
	var got reply
	err := a.RunInTransaction(func(core.App) error {
		got = a.get("/tx")
		return nil
	})
	if err != nil || got.body != "ERR_TX_BUSY: pb.tx waited 30s for other transactions to end" {
		t.Errorf("%d %s, %v", got.status, got.body, err)
	}
	if got := a.get("/tx"); got.body != "no error" {
		t.Errorf("afterwards: %s", got.body)
	}
}

// TestDraining: a request that was in a transaction when the server was told to stop
// is answered, and what it wrote is kept; hooks of what drains run.
func TestDraining(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{
		"src/routes/write.ts": `export const GET = async () => {
			await pb.tx(async (tx) => {
				await tx.kv.set("begun", 1);
				await new Promise((resolve) => setTimeout(resolve, 500));
				await tx.collection("notes").create({ title: "drained" });
				await tx.jobs.enqueue("later", 1);
			});
			return new Response("written");
		};`,
		"src/hooks/notes.ts": `pb.onRecordBeforeCreate("notes", (e) => { e.record.title += " with a hook"; });`,
	}
	prepare := func(app core.App) error {
		notes := core.NewBaseCollection("notes")
		notes.Fields.Add(&core.TextField{Name: "title"})
		return app.Save(notes)
	}
	a, err := apptest.Start(dir, files, agentrt.Config{CacheDir: cacheDir}, prepare)
	if err != nil {
		t.Fatal(err)
	}
	var answer reply
	var client sync.WaitGroup
	token := (&app{a, t}).superuser()
	client.Go(func() { answer = (&app{a, t}).get("/write") })
	var status struct{ Running int }
	for status.Running == 0 {
		text := (&app{a, t}).do(http.MethodGet, "/../agentrt/status", "", "Authorization", token).body
		if err := json.Unmarshal([]byte(text), &status); err != nil {
			t.Fatal(text, err)
		}
	}
	if err := a.Stop(); err != nil {
		t.Error(err)
	}
	client.Wait()
	if answer.status != http.StatusOK || answer.body != "written" {
		t.Fatalf("%d %s", answer.status, answer.body)
	}
	a, err = apptest.Start(dir, files, agentrt.Config{CacheDir: cacheDir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := a.FindFirstRecordByData("notes", "title", "drained with a hook"); err != nil {
		t.Error(err)
	}
	stats, err := a.Engine.Jobs().Stats(t.Context())
	stats = ofUsers(stats)
	if err != nil || len(stats) != 1 || stats[0].Topic != "later" {
		t.Errorf("%+v, %v", stats, err)
	}
}

// TestHookAs uses pb.as in hooks, also inside of their transaction.
func TestHookAs(t *testing.T) {
	a := newApp(t, map[string]string{
		"hooks/notes.ts": `
			pb.onRecordBeforeCreate("notes", async (e) => {
				const mine = await pb.as(e.auth).collection("notes").getFullList();
				const guests = await pb.as(null).collection("notes").getFullList();
				const all = await pb.collection("notes").getFullList();
				e.record.seen = [e.auth?.id ?? "guest", mine.length, guests.length, all.length].join(" ");
				try {
					await pb.as(null).collection("secret").create({});
					e.record.seen += " created";
				} catch (error: any) {
					e.record.seen += " " + error.status;
				}
			});`,
		"routes/tx.ts": `export const config = { auth: "user" };
			export const GET = async (_: Request, ctx: RouteContext) => new Response(await pb.tx(async (tx) => {
				await tx.collection("notes").create({ title: "first", owner: ctx.auth!.id });
				return (await tx.collection("notes").create({ title: "second" })).seen;
			}));`,
	})
	users, err := a.FindCollectionByNameOrId("users")
	if err != nil {
		t.Fatal(err)
	}
	user := core.NewRecord(users)
	user.Load(map[string]any{"email": "a@example.com", "password": "12345678"})
	if err := a.Save(user); err != nil {
		t.Fatal(err)
	}
	rule := "owner = @request.auth.id"
	notes := core.NewBaseCollection("notes")
	notes.ListRule = &rule
	notes.Fields.Add(&core.TextField{Name: "title"}, &core.TextField{Name: "owner"}, &core.TextField{Name: "seen"})
	secret := core.NewBaseCollection("secret")
	for _, c := range []*core.Collection{notes, secret} {
		if err := a.Save(c); err != nil {
			t.Fatal(err)
		}
	}
	token, err := user.NewAuthToken()
	if err != nil {
		t.Fatal(err)
	}
	if got := a.get("/tx", "Authorization", token); got.body != user.Id+" 1 0 1 403" {
		t.Errorf("%d %s", got.status, got.body)
	}
	note := core.NewRecord(notes)
	if err := a.Save(note); err != nil || !strings.HasPrefix(note.GetString("seen"), "guest 1 1 2 403") {
		t.Errorf("outside of a transaction: %q, %v", note.GetString("seen"), err)
	}
}
