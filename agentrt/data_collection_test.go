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
	prelude := `
		const posts = pb.collection("posts");
		const make = (fields: Record<string, any> = {}, options?: any) => posts.create({ title: "t", ...fields }, options);
		const names = (list: any[]) => list.map((r) => r.title);`
	runScenarios(t, func(files map[string]string) *app {
		a := newApp(t, files)
		addCollections(t, a)
		return a
	}, `{}`, prelude, []scenario{
		{"create with expand", `const author = await pb.collection("authors").create({ name: "Ada" });
			const r = await make({ title: "it's", secret: "s", author: author.id, meta: { a: [1] } }, { expand: "author" });
			return [r.title, r.secret, r.collectionName, r.collectionId.length, r.expand.author.name, r.meta, typeof r.created];`,
			`["it's","s","posts",14,"Ada",{"a":[1]},"string"]`},
		{"create in parallel", `await Promise.all(Array.from({ length: 24 }, (_, k) => make({ title: "n" + k, views: 100 + k }))); return (await posts.getList(1, 1)).totalItems;`, `25`},
		{"getOne with fields", `return posts.getOne((await make({ title: "a long title" })).id, { fields: "title:excerpt(6,true)" });`, `{"title":"a long..."}`},
		{"getList", `return posts.getList(2, 10, { filter: "views >= {:min}", params: { min: 100 }, sort: "-views", fields: "title" });`,
			`{"items":[{"title":"n13"},{"title":"n12"},{"title":"n11"},{"title":"n10"},{"title":"n9"},{"title":"n8"},{"title":"n7"},{"title":"n6"},{"title":"n5"},{"title":"n4"}],"page":2,"perPage":10,"totalItems":24,"totalPages":3}`},
		{"getList with skipTotal", `const l = await posts.getList(1, 2, { skipTotal: true }); return [l.items.length, l.totalItems, l.totalPages];`, `[2,-1,-1]`},
		{"getList clamps perPage", `return (await posts.getList(1, 5000)).perPage;`, `1000`},
		{"getFullList", `return names(await posts.getFullList({ batch: 7, filter: "views >= 120", sort: "views" }));`, `["n20","n21","n22","n23"]`},
		{"getFullList with a number", `return (await posts.getFullList(5, { filter: "views >= 100" })).length;`, `24`},
		{"getFullList iterated", `let n = 0; for await (const r of posts.getFullList({ batch: 10, filter: "views >= 100" })) n += r.views; return n;`, `2676`},
		{"getFullList left early", `for await (const r of posts.getFullList({ batch: 1, sort: "views", filter: "views >= 100" })) return r.title;`, `"n0"`},
		{"getFullList in Promise.all", `return (await Promise.all([posts.getFullList({ filter: "views = 100" }), posts.getFullList().then((l) => l.length > 20)])).map((x: any) => x.length ?? x);`, `[1,true]`},
		{"getFullList with a bad batch", `return fails(() => posts.getFullList({ batch: 0 }));`, `["RangeError","","getFullList() takes as batch an integer from 1, not 0"]`},
		{"getFirstListItem", `return (await posts.getFirstListItem(pb.filter("title = {:t}", { t: "it's" }))).title;`, `"it's"`},
		{"getFirstListItem without a match", `return fails(() => posts.getFirstListItem("views = 5000"));`, `[404,"The requested resource wasn't found.",{}]`},
		{"update with modifiers", `const r = await make({ views: 1 }); return [(await posts.update(r.id, { "views+": 4 })).views, (await posts.update(r.id, { "views-": 2 })).views];`, `[5,3]`},
		{"update with a Date", `return (await posts.update((await make()).id, { meta: { at: new Date(0) } })).meta;`, `{"at":"1970-01-01T00:00:00.000Z"}`},
		{"files", `const r = await make({ files: [new File(["one"], "one.txt"), new Blob(["two"])] });
			const more = await posts.update(r.id, { "files+": new File(["three"], "three.txt") });
			const first = await posts.update(r.id, { "+files": new File(["zero"], "zero.txt") });
			const less = await posts.update(r.id, { "files-": [first.files[0]] });
			const kept = await posts.update(r.id, { files: [less.files[0], new File(["new"], "new.txt")] });
			return [r.files.length, more.files.length, first.files[0].slice(0, 4), less.files.length, kept.files.length, kept.files[0] === r.files[0]];`,
			`[2,3,"zero",3,2,true]`},
		{"text stays text beside files", `return (await make({ title: "007", files: new File(["x"], "x.txt") })).title;`, `"007"`},
		{"FormData", `const form = new FormData(); form.append("title", "form"); form.append("views", "7"); form.append("files", new File(["x"], "x.txt"));
			const r = await posts.create(form); return [r.title, r.views, r.files.length];`, `["form",7,1]`},
		{"delete", `const r = await make(); return [await posts.delete(r.id), await fails(() => posts.getOne(r.id))];`, `[true,[404,"The requested resource wasn't found.",{}]]`},
		{"delete of nothing", `return fails(() => posts.delete("nothing"));`, `[404,"The requested resource wasn't found.",{}]`},
		{"no id", `return fails(() => posts.update("", {}));`, `[404,"Missing required record id.",{}]`},
		{"an id that is a path", `return fails(() => posts.getOne("../../x?y#z"));`, `[404,"The requested resource wasn't found.",{}]`},
		{"no collection", `return fails(() => pb.collection("nothing").getList());`, `[404,"Missing collection context.",{}]`},
		{"invalid fields", `return fails(() => make({ title: "" }));`, `[400,"Failed to create record.",{"title":{"code":"validation_required","message":"Cannot be blank."}}]`},
		{"invalid update", `const r = await make(); return fails(() => posts.update(r.id, { title: "x".repeat(101) }));`,
			`[400,"Failed to update record.",{"title":{"code":"validation_max_text_constraint","message":"Must be no more than 100 character(s).","params":{"max":100}}}]`},
		{"bad filter", `return fails(() => posts.getList(1, 1, { filter: "nothing = 1" }));`, `[400,"The list cannot be read: invalid left operand \"nothing\" - unknown field \"nothing\".",{}]`},
		{"body of a wrong type", `return fails(() => posts.create("x" as any));`, `["TypeError","","the body of a record is an object or a FormData, not a string"]`},
		{"password rules", `return fails(() => pb.collection("members").create({ email: "p@example.com", password: "12345678" }));`,
			`[400,"Failed to create record.",{"passwordConfirm":{"code":"validation_required","message":"Cannot be blank."}}]`},
		{"an auth record", `const r = await pb.collection("members").create({ email: "p@example.com", password: "12345678", passwordConfirm: "12345678" });
			return [r.email, r.password === undefined, r.tokenKey === undefined];`, `["p@example.com",true,true]`},
		{"error", `const e = await posts.getOne("x").catch((e) => e); return [e.name, e.url, e.data === e.response, e.isAbort, e.originalError];`,
			`["ClientResponseError 404","/api/collections/posts/records/x",true,false,null]`},
		{"aborted", `return posts.getList(1, 1, { signal: AbortSignal.abort() }).catch((e: any) => [e.isAbort, e.status]);`, `[true,0]`},
		{"batch", `const r = await make({ title: "old", files: new File(["a"], "a.txt") });
			const batch = pb.createBatch();
			batch.collection("posts").create({ title: "b1", files: new File(["b"], "b.txt") });
			batch.collection("posts").upsert({ id: r.id, title: "upserted" });
			batch.collection("posts").update(r.id, { "views+": 3, "files+": new File(["c"], "c.txt") }, { fields: "views,files" });
			batch.collection("posts").delete(r.id);
			return (await batch.send()).map((x: any) => [x.status, x.body?.title, x.body?.views, x.body?.files?.length]);`,
			`[[200,"b1",0,1],[200,"upserted",0,1],[200,null,3,2],[204,null,null,null]]`},
		{"batch that fails", `const batch = pb.createBatch();
			batch.collection("posts").create({ title: "rolled back" });
			batch.collection("posts").create({ title: "" });
			return [await fails(() => batch.send()), (await posts.getList(1, 1, { filter: "title = 'rolled back'" })).totalItems];`,
			`[[400,"Batch transaction failed.",{"requests":{"1":{"code":"batch_request_failed","message":"Batch request failed.","response":{"data":{"title":{"code":"validation_required","message":"Cannot be blank."}},"message":"Failed to create record.","status":400}}}}],0]`},
		{"batch of nothing", `return fails(() => pb.createBatch().send());`, `[400,"A batch has 1 to 1000 requests, not 0.",{}]`},
		{"filter", `return [pb.filter("a = {:a} && b = {:b} && c = {:c}", { a: "{:b}", b: "' || 1=1", c: "$&" }), pb.filter("x = {:x} {:y} {:z}", { x: null, y: true, z: new Date(0) }), pb.filter("x = {:none}", {})];`,
			`["a = '{:b}' && b = '\\' || 1=1' && c = '$&'","x = null true '1970-01-01 00:00:00.000Z'","x = {:none}"]`},
		{"filter with a backslash at the end", `return fails(() => pb.filter("a = {:a}", { a: "x\\" }));`, `["TypeError","","the filter parameter a ends with a backslash, which PocketBase's filter syntax cannot express"]`},
		{"pb.as without a record", `return fails(() => pb.as(undefined as any));`, `["TypeError","","pb.as() takes a record of an auth collection with its id and collectionName, such as ctx.auth, or null for a guest"]`},
		{"pb.as with a record of no auth collection", `return fails(async () => pb.as(await make()).collection("posts").getList());`, `["TypeError","","pb.as() takes a record of an auth collection; \"pbc_1125843985\" is none"]`},
		{"pb.as with a record that is gone", `return fails(() => pb.as({ id: "gone", collectionName: "members" }).collection("posts").getList());`, `[401,"The record given to pb.as() does not exist.",{}]`},
	}, nil)
}

// member makes a record of members and returns it with a token.
func member(t *testing.T, a core.App, email string) (*core.Record, string) {
	t.Helper()
	collection, err := a.FindCollectionByNameOrId("members")
	if err != nil {
		t.Fatal(err)
	}
	record := core.NewRecord(collection)
	record.SetEmail(email)
	record.SetPassword("12345678")
	if err := a.Save(record); err != nil {
		t.Fatal(err)
	}
	token, err := record.NewAuthToken()
	if err != nil {
		t.Fatal(err)
	}
	return record, token
}

var ruled = []scenario{
	{"own", `const me = client(ctx); const r = await me.collection("posts").create({ title: "mine", owner: ctx.auth!.id, secret: "s" });
		return [r.title, r.secret === undefined, (await me.collection("posts").getList()).totalItems, (await me.collection("posts").update(r.id, { title: "still" })).title];`,
		`["mine",true,1,"still"]`},
	{"somebody else's", `const me = client(ctx); return [await fails(() => me.collection("posts").create({ title: "x", owner: "nobody" })),
		await fails(async () => me.collection("posts").update((await me.collection("posts").getFirstListItem("")).id, { owner: ctx.auth!.id }))];`,
		`[[400,"Failed to create record.",{}],[404,"The requested resource wasn't found.",{}]]`},
	{"only superusers", `const me = client(ctx); return [await fails(() => me.collection("authors").getList()), await fails(async () => me.collection("posts").delete((await me.collection("posts").getFirstListItem("")).id))];`,
		`[[403,"Only superusers can perform this action.",{}],[403,"Only superusers can perform this action.",{}]]`},
	{"hidden fields", `return fails(() => client(ctx).collection("posts").getList(1, 1, { filter: "secret = 's'" }));`, `[400,"Something went wrong while processing your request.",{}]`},
	{"email visibility", `return (await client(ctx).collection("members").getFullList({ sort: "@rowid" })).map((m) => m.email === undefined);`, `[false,true]`},
	{"files", `const r = await client(ctx).collection("posts").create({ title: "f", owner: ctx.auth!.id, files: [new File(["x"], "x.txt")] }); return r.files.length;`, `1`},
	{"batch", `const batch = client(ctx).createBatch(); batch.collection("posts").create({ title: "b", owner: ctx.auth!.id, files: new File(["x"], "x.txt") });
		batch.collection("authors").create({ name: "x" });
		return fails(() => batch.send());`,
		`[400,"Batch transaction failed.",{"requests":{"1":{"code":"batch_request_failed","message":"Batch request failed.","response":{"data":{},"message":"Only superusers can perform this action.","status":403}}}}]`},
	{"batch that succeeds", `const batch = client(ctx).createBatch(); batch.collection("posts").create({ title: "b", owner: ctx.auth!.id, files: new File(["x"], "x.txt") });
		return (await batch.send()).map((x) => [x.status, x.body.title, x.body.files.length]);`, `[[200,"b",1]]`},
	{"many searches without a result are not slowed down", `for (let k = 0; k < 50; k++) await client(ctx).collection("posts").getList(1, 1, { filter: "title = 'none'" }); return "done";`, `"done"`},
}

func TestDataAs(t *testing.T) {
	for _, c := range []struct{ name, config, client string }{
		{"pb.as", `{ auth: "members" }`, `pb.as(ctx.auth)`},
		{"as the caller", `{ auth: "members", run: "caller" }`, `pb`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var token string
			start := func(files map[string]string) *app {
				a := newApp(t, files)
				addCollections(t, a)
				_, token = member(t, a, "a@example.com")
				member(t, a, "b@example.com")
				return a
			}
			runScenarios(t, start, c.config, `const client = (ctx: RouteContext) => `+c.client+`;`, ruled, func() []string { return []string{"Authorization", token} })
		})
	}
}

func TestDataRunAsCaller(t *testing.T) {
	refused := func(what string) string { return `["Error","ERR_RUN_AS_CALLER","` + what + `"]` }
	runScenarios(t, func(files map[string]string) *app {
		a := newApp(t, files)
		addCollections(t, a)
		return a
	}, `{ run: "caller" }`, "", []scenario{
		{"a guest", `return [(await pb.collection("members").getList()).totalItems, await fails(() => pb.collection("authors").create({ name: "x" }))];`, `[0,[403,"Only superusers can perform this action.",{}]]`},
		{"pb.as the guest that calls", `return (await pb.as(null).collection("members").getList()).totalItems;`, `0`},
		{"pb.as somebody else", `return fails(() => pb.as({ id: "x", collectionName: "members" }).collection("members").getList());`,
			refused(`pb.as() takes only the caller's own record here, because the route's config has run: \"caller\"`)},
		{"KV", `return [await fails(() => pb.kv.get("k")), (await fails(() => pb.kv.set("k", 1)) as any)[1]];`,
			`[` + refused(`pb.kv is not available where the route's config has run: \"caller\", since its keys have no API rules`) + `,"ERR_RUN_AS_CALLER"]`},
		{"secrets", `return pb.secrets.get("NONE");`, `null`},
		{"SQL", `return fails(() => pb.db.query("select 1"));`,
			refused(`pb.db is not available where the route's config has run: \"caller\", since SQL knows no API rules`)},
	}, nil)
}
