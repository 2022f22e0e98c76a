package agentrt_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/agentrt/agentrt/agentrt/triggers"
	"github.com/agentrt/agentrt/hostfn/pb"
	"github.com/pocketbase/pocketbase/core"
)

// TestDataHooksFindScope has Go hooks look for the calling invocation's scope, which
// carries auth and depth.
func TestDataHooksFindScope(t *testing.T) {
	var mu sync.Mutex
	var found []string
	runScenarios(t, func(files map[string]string) *app {
		a := newApp(t, files)
		addCollections(t, a)
		for event, h := range map[string]interface {
			BindFunc(func(*core.RecordEvent) error) string
		}{"create": a.OnRecordCreate("posts"), "update": a.OnRecordUpdate("posts"), "delete": a.OnRecordDelete("posts")} {
			h.BindFunc(func(e *core.RecordEvent) error {
				_, err := pb.ScopeFrom(e.Context)
				mu.Lock()
				found = append(found, fmt.Sprint(event, " ", err == nil))
				mu.Unlock()
				return e.Next()
			})
		}
		a.OnRecordCreateRequest("posts").BindFunc(func(e *core.RecordRequestEvent) error {
			mu.Lock()
			found = append(found, "request")
			mu.Unlock()
			return e.Next()
		})
		root := core.NewRecord(must(t)(a.FindCollectionByNameOrId(core.CollectionNameSuperusers)))
		root.Id = "root00000000000"
		root.SetEmail("root@example.com")
		root.SetPassword("1234567890")
		if err := a.Save(root); err != nil {
			t.Fatal(err)
		}
		return a
	}, `{}`, `const all = async (client: RecordClient) => {
			const posts = client.collection("posts");
			const r = await posts.create({ title: "a" });
			await posts.update(r.id, { title: "b" });
			await posts.delete(r.id);
			const batch = client.createBatch();
			batch.collection("posts").create({ title: "c" });
			await batch.send();
			return "done";
		};`, []scenario{
		{"directly", `return all(pb);`, `"done"`},
		{"pb.as", `return all(pb.as({ id: "root00000000000", collectionName: "_superusers" }));`, `"done"`},
	}, nil)
	want := "[create true update true delete true create true request create true update true delete true request create true]"
	if got := fmt.Sprint(found); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func must(t *testing.T) func(*core.Collection, error) *core.Collection {
	return func(c *core.Collection, err error) *core.Collection {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

// TestDataInTransaction calls pb from a hook within a transaction of Go: what it
// does is part of the transaction, and answered before the end of it.
func TestDataInTransaction(t *testing.T) {
	a := newApp(t, map[string]string{"hooks/posts.ts": `
		export default async (e: any) => {
			const authors = pb.collection("authors"), guest = pb.as(null).collection("authors");
			const one = await authors.create({ name: "in the transaction" });
			const seen = await guest.getOne(one.id);
			const batch = pb.createBatch();
			batch.collection("authors").create({ name: "batch" });
			await batch.send();
			await pb.db.exec("UPDATE authors SET name = name || '!'");
			const [{ n }] = await pb.db.query("SELECT count(*) AS n FROM authors WHERE name LIKE '%!'");
			const created = await pb.as(null).collection("members").create({ email: "x@example.com", password: "12345678", passwordConfirm: "12345678" });
			e.record.title = [seen.name, n, created.id !== "", (await authors.getList()).totalItems].join();
		};`})
	addCollections(t, a)
	members := must(t)(a.FindCollectionByNameOrId("members"))
	empty := ""
	members.CreateRule = &empty
	if err := a.Save(members); err != nil {
		t.Fatal(err)
	}
	if err := a.Engine.RegisterHook("posts", triggers.BeforeCreate, "hooks/posts.ts"); err != nil {
		t.Fatal(err)
	}
	rollback := fmt.Errorf("rolled back")
	err := a.RunInTransaction(func(tx core.App) error {
		post := core.NewRecord(must(t)(tx.FindCollectionByNameOrId("posts")))
		post.Set("title", "given")
		if err := tx.Save(post); err != nil {
			return err
		}
		if got, want := post.GetString("title"), "in the transaction,2,true,2"; got != want {
			t.Errorf("the hook saw %q, want %q", got, want)
		}
		return rollback
	})
	if err != rollback {
		t.Fatal(err)
	}
	for _, name := range []string{"authors", "members", "posts"} {
		if n, err := a.CountRecords(name); err != nil || n != 0 {
			t.Errorf("%s has %d records after the rollback (%v)", name, n, err)
		}
	}
}
