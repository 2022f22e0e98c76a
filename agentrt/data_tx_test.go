package agentrt_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/pocketbase/pocketbase/core"
)

// addNotes makes the collections notes (title) and tags (note: cascades, text).
func addNotes(t *testing.T, a core.App) {
	t.Helper()
	rule := ""
	notes := core.NewBaseCollection("notes")
	notes.Fields.Add(&core.TextField{Name: "title"}, &core.NumberField{Name: "n"})
	notes.ListRule, notes.ViewRule, notes.CreateRule, notes.UpdateRule, notes.DeleteRule = &rule, &rule, &rule, &rule, &rule
	if err := a.Save(notes); err != nil {
		t.Fatal(err)
	}
	tags := core.NewBaseCollection("tags")
	tags.Fields.Add(&core.TextField{Name: "text"}, &core.RelationField{Name: "note", CollectionId: notes.Id, CascadeDelete: true})
	tags.CreateRule = &rule
	if err := a.Save(tags); err != nil {
		t.Fatal(err)
	}
}

const txRoutes = `
	const notes = pb.collection("notes");
	const text = (e: any) => e?.code ? e.code : String(e?.message ?? e);
	const titles = async () => (await notes.getFullList({ sort: "title" })).map((r: any) => r.title).join();
	const cases: Record<string, (body: any) => unknown> = {
		commit: () => pb.tx(async (tx) => {
			await tx.collection("notes").create({ title: "a" });
			await notes.create({ title: "b" });
			return titles();
		}),
		throws: () => pb.tx(async (tx) => {
			await tx.collection("notes").create({ title: "a" });
			await notes.create({ title: "b" });
			throw new TypeError("no");
		}),
		all: () => pb.tx(async (tx) => {
			const made = await Promise.all(Array.from({ length: 20 }, (_, k) => (k % 2 ? tx.collection("notes") : notes).create({ title: "n" + k })));
			return made.length + " " + (await notes.getList(1, 1)).totalItems;
		}),
		allFails: () => pb.tx(async (tx) => {
			await Promise.all(Array.from({ length: 20 }, async (_, k) => { if (k === 3) throw new Error("third"); await notes.create({ title: "n" + k }); }));
		}),
		hung: () => pb.tx(async () => { await notes.create({ title: "a" }); await new Promise((f) => setTimeout(f, 60_000)); }, { timeout: 200 }),
		stalled: () => pb.tx(async () => { await notes.create({ title: "a" }); await new Promise(() => {}); }, { timeout: 200 }),
		zombie: async () => {
			const late: string[] = [];
			let goOn = () => {};
			let zombie: Promise<void> | undefined;
			const first = await pb.tx((tx) => (zombie = (async () => {
				await new Promise<void>((f) => { goOn = f; });
				await notes.create({ title: "outer" }).catch((e: any) => late.push(text(e)));
				try { tx.collection("notes"); } catch (e) { late.push(text(e)); }
			})()), { timeout: 100 }).catch(text);
			goOn();
			await zombie;
			await notes.create({ title: "after" });
			return [first, ...late, await titles()].join();
		},
		nested: () => pb.tx(async (tx) => {
			await tx.tx(() => notes.create({ title: "a" }));
			await pb.tx((inner) => inner.collection("notes").create({ title: "b" }));
			return titles();
		}),
		nestedFails: () => pb.tx(async () => {
			await notes.create({ title: "a" });
			await pb.tx(async () => { await notes.create({ title: "b" }); throw new Error("inner"); }).catch(() => {});
			return "the outer one goes on";
		}),
		batch: () => pb.tx(async (tx) => {
			const batch = tx.createBatch();
			batch.collection("notes").create({ title: "b" });
			batch.collection("notes").create({ title: "a" });
			await batch.send();
			return titles();
		}),
		batchFails: () => pb.tx(async (tx) => {
			await notes.create({ title: "a" });
			const batch = tx.createBatch();
			batch.collection("notes").create({ title: "b" });
			batch.collection("notes").update("nothing", { title: "c" });
			return batch.send().catch((e: any) => "caught " + e.status);
		}),
		batchFailsAs: () => pb.tx(async (tx) => {
			await notes.create({ title: "a" });
			const batch = tx.as(null).createBatch();
			batch.collection("notes").create({ title: "b" });
			batch.collection("notes").update("nothing", { title: "c" });
			return batch.send().catch((e: any) => "caught " + e.status);
		}),
		batchFailsInHook: async () => {
			const failed = await notes.create({ title: "hookbatch" }).catch(() => "failed");
			await notes.create({ title: "after" });
			return failed + " " + await titles();
		},
		batchFailsInTxHook: () => pb.tx(async () => { await notes.create({ title: "hookbatch" }); return titles(); }),
		beside: async () => {
			const order: string[] = [];
			const one = (name: string, fail: boolean) => pb.tx(async () => {
				order.push("+" + name);
				await notes.create({ title: name });
				if (fail) throw new Error(name);
				order.push("-" + name);
			}).catch(() => {});
			await Promise.all([one("a", false), one("b", true), one("c", false)]);
			return order.join("") + " " + await titles();
		},
		unawaited: async () => {
			await pb.tx(async (tx) => { void tx.collection("notes").create({ title: "a" }); });
			return titles();
		},
		leaked: async () => {
			let saved: any;
			await pb.tx(async (tx) => { saved = tx; });
			return saved.collection("notes");
		},
		fetches: ({ url }) => pb.tx(async () => {
			await notes.create({ title: await (await fetch(url)).text() });
			return titles();
		}),
		spins: () => pb.tx(async () => { await notes.create({ title: "a" }); for (;;); }, { timeout: 30_000 }),
		badTimeout: () => pb.tx(async () => {}, { timeout: 30_001 }),
		open: () => pb.tx(async () => { await notes.create({ title: "a" }); await new Promise((f) => setTimeout(f, 60_000)); }, { timeout: 30_000 }),
		write: async () => { await notes.create({ title: "w" }); return titles(); },
		hooked: () => pb.tx(async () => { await notes.create({ title: "hooked" }); return titles(); }),
		hookedFails: () => pb.tx(async () => { await notes.create({ title: "hooked" }); throw new Error("no"); }),
		hookHangs: () => pb.tx(async () => { await notes.create({ title: "hang" }); }, { timeout: 300 }),
		hookTx: async () => { await notes.create({ title: "hooktx" }); return titles(); },
	};
	pb.onRecordBeforeCreate("notes", async (e) => {
		if (e.record.title === "hooked") {
			await Promise.all(["x", "y"].map((text) => pb.collection("tags").create({ text })));
			await pb.tx((tx) => tx.collection("notes").create({ title: "from hook" }));
		}
		if (e.record.title === "hooktx") await pb.tx(async () => { await notes.create({ title: "h1" }); await notes.create({ title: "h2" }); });
		if (e.record.title === "hookbatch") {
			const batch = pb.createBatch();
			batch.collection("tags").create({ text: "b" });
			batch.collection("tags").update("nothing", {});
			await batch.send().catch(() => {});
		}
		if (e.record.title === "hang") await new Promise((f) => setTimeout(f, 60_000));
	});
	pb.onRecordAfterCreate("notes", async (e) => {
		if (e.record.title === "hooked") await pb.collection("tags").create({ text: "after" });
	});
	export const POST = async (req: Request) => {
		const { name, ...body } = await req.json();
		try { return new Response(String(await cases[name]!(body))); } catch (e) { return new Response("error " + text(e)); }
	};`

func TestTx(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("fetched")) }))
	t.Cleanup(upstream.Close)
	a := newApp(t, map[string]string{"routes/run.ts": txRoutes}, func(c *agentrt.Config) {
		c.AllowNet = []string{strings.TrimPrefix(upstream.URL, "http://")}
	})
	addNotes(t, a)
	for _, s := range []struct {
		name, want  string
		notes, tags int64
	}{
		{"commit", "a,b", 2, 0},
		{"throws", "error no", 0, 0},
		{"all", "20 20", 20, 0},
		{"allFails", "error third", 0, 0},
		{"hung", "error ERR_TX_TIMEOUT", 0, 0},
		{"stalled", "error ERR_TX_TIMEOUT", 0, 0},
		{"zombie", "ERR_TX_TIMEOUT,ERR_TX_OVER,ERR_TX_OVER,after", 1, 0},
		{"nested", "a,b", 2, 0},
		{"nestedFails", "error a pb.tx inside of this one threw, so all of it was rolled back", 0, 0},
		{"batch", "a,b", 2, 0},
		{"batchFails", "error ERR_TX_BATCH", 0, 0},
		{"batchFailsAs", "error ERR_TX_BATCH", 0, 0},
		{"batchFailsInHook", "[object Object] after,hookbatch", 2, 0}, // not in a transaction: the batch has its own
		{"batchFailsInTxHook", "error Failed to create record.", 0, 0},
		{"beside", "+a-a+b+c-c a,c", 2, 0},
		{"unawaited", "a", 1, 0},
		{"leaked", "error ERR_TX_OVER", 0, 0},
		{"fetches", "fetched", 1, 0},
		{"badTimeout", "error ERR_TX_TIMEOUT_RANGE", 0, 0},
		{"hooked", "from hook,hooked", 2, 3},
		{"hookedFails", "error no", 0, 0},
		{"hookHangs", "error ERR_TX_TIMEOUT", 0, 0},
		{"hookTx", "h1,h2,hooktx", 3, 0},
	} {
		t.Run(s.name, func(t *testing.T) {
			a := &app{a.App, t}
			if got := a.do(http.MethodPost, "/run", `{"name":"`+s.name+`","url":"`+upstream.URL+`"}`).body; got != s.want {
				t.Errorf("got %q, want %q", got, s.want)
			}
			a.expectCounts(s.notes, s.tags)
			a.clear()
		})
	}
}

func (a *app) expectCounts(notes, tags int64) {
	a.t.Helper()
	for name, want := range map[string]int64{"notes": notes, "tags": tags} {
		if n, err := a.CountRecords(name); err != nil || n != want {
			a.t.Errorf("%d records in %s, want %d, %v", n, name, want, err)
		}
	}
}

func (a *app) clear() {
	a.t.Helper()
	for _, name := range []string{"tags", "notes"} {
		if _, err := a.DB().NewQuery("DELETE FROM " + name).Execute(); err != nil {
			a.t.Error(err)
		}
	}
}
