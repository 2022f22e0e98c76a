package agentrt_test

import (
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// addCollections makes what the tests of pb.collection use: authors, posts with a
// relation, a file and a hidden field, and members (auth).
func addCollections(t *testing.T, a core.App) {
	t.Helper()
	save := func(c *core.Collection) {
		t.Helper()
		if err := a.Save(c); err != nil {
			t.Fatal(err)
		}
	}
	authors := core.NewBaseCollection("authors")
	authors.Fields.Add(&core.TextField{Name: "name", Required: true})
	authors.ViewRule = types.Pointer("")
	save(authors)
	members := core.NewAuthCollection("members")
	members.ListRule, members.ViewRule = types.Pointer(""), types.Pointer("")
	save(members)
	posts := core.NewBaseCollection("posts")
	posts.Fields.Add(
		&core.TextField{Name: "title", Required: true, Max: 100},
		&core.NumberField{Name: "views"},
		&core.JSONField{Name: "meta"},
		&core.TextField{Name: "secret", Hidden: true},
		&core.FileField{Name: "files", MaxSelect: 5},
		&core.RelationField{Name: "author", CollectionId: authors.Id},
		&core.RelationField{Name: "owner", CollectionId: members.Id},
		&core.AutodateField{Name: "created", OnCreate: true},
	)
	posts.ListRule, posts.ViewRule = types.Pointer("owner = @request.auth.id"), types.Pointer("owner = @request.auth.id")
	posts.CreateRule = types.Pointer("@request.auth.id != '' && @request.body.owner = @request.auth.id")
	posts.UpdateRule = types.Pointer("owner = @request.auth.id && @request.body.owner:isset = false")
	save(posts)
}

func TestDataCollection(t *testing.T) {
	a := newApp(t, map[string]string{"routes/run.ts": `
		const fails = async (f: () => unknown) => { try { return await f(); } catch (e: any) { return [e.name, e.status, e.message, e.response]; } };
		export const POST = async (req: Request) => {
			const out: any = {};
			const posts = pb.collection("posts");
			const author = await pb.collection("authors").create({ name: "Ada" });
			const one = await posts.create({ title: "it's", views: 1, secret: "s", author: author.id, meta: { a: [1] } }, { expand: "author" });
			out.created = [one.title, one.secret, one.collectionName, one.expand.author.name, one.meta];
			out.updated = (await posts.update(one.id, { "views+": 4 })).views;
			for (let k = 0; k < 24; k++) await posts.create({ title: "n" + k, views: 100 + k });
			out.one = (await posts.getOne(one.id, { fields: "id,title" }));
			delete out.one.id;
			out.list = await posts.getList(2, 10, { filter: "views >= {:min}", params: { min: 100 }, sort: "-views", fields: "title" });
			out.skip = (await posts.getList(1, 2, { skipTotal: true })).totalItems;
			out.first = (await posts.getFirstListItem(pb.filter("title = {:t}", { t: "it's" }))).id === one.id;
			out.full = (await posts.getFullList({ batch: 10, sort: "views" })).map((r) => r.views).length;
			out.iterated = 0;
			for await (const r of posts.getFullList({ batch: 10 })) out.iterated += r.views > 0 ? 1 : 0;
			const withFile = await posts.create({ title: "f", files: [new File(["one"], "one.txt"), new Blob(["two"])] });
			out.files = withFile.files.length;
			const more = await posts.update(withFile.id, { "files+": new File(["three"], "three.txt") });
			out.filesMore = more.files.length;
			out.filesLess = (await posts.update(withFile.id, { "files-": [more.files[0]] })).files.length;
			const form = new FormData();
			form.append("title", "form"); form.append("views", "7"); form.append("files", new File(["x"], "x.txt"));
			const formed = await posts.create(form);
			out.form = [formed.title, formed.views, formed.files.length];
			out.deleted = await posts.delete(one.id);
			out.notFound = await fails(() => posts.getOne(one.id));
			out.noID = await fails(() => posts.getOne(""));
			out.noCollection = await fails(() => pb.collection("nothing").getList());
			out.invalid = await fails(() => posts.create({ title: "", views: 1 }));
			out.badFilter = await fails(() => posts.getList(1, 1, { filter: "nothing = 1" }));
			out.firstMissing = await fails(() => posts.getFirstListItem("views = 5000"));
			out.injected = pb.filter("a = {:a} && b = {:b}", { a: "{:b}", b: "' || 1=1", c: 1 });
			out.backslash = await fails(() => pb.filter("a = {:a}", { a: "x\\" }));
			out.instance = (await posts.getOne("x").catch((e) => e)) instanceof pb.ClientResponseError;
			const batch = pb.createBatch();
			batch.collection("posts").create({ title: "b1", files: new File(["b"], "b.txt") });
			batch.collection("posts").upsert({ id: formed.id, title: "upserted" });
			batch.collection("posts").update(withFile.id, { "views+": 3 }, { fields: "views" });
			batch.collection("posts").delete(formed.id);
			out.batch = (await batch.send()).map((r) => [r.status, r.body?.title, r.body?.views, r.body?.files?.length]);
			const failing = pb.createBatch();
			failing.collection("posts").create({ title: "rolled back" });
			failing.collection("posts").create({ title: "" });
			out.failing = await fails(() => failing.send());
			out.rolledBack = (await posts.getList(1, 1, { filter: "title = 'rolled back'" })).totalItems;
			out.top = await fails(() => pb.as(undefined as any));
			out.aborted = await posts.getList(1, 1, { signal: AbortSignal.abort() }).catch((e) => [e.isAbort, e.status]);
			return Response.json(out);
		};`})
	addCollections(t, a)
	got := a.do("POST", "/run", "")
	want := `{"created":["it's","s","posts","Ada",{"a":[1]}],"updated":5,"one":{"title":"it's"}}`
	if got.body != want {
		t.Errorf("status %d: got %s", got.status, got.body)
	}
}
