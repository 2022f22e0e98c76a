package agentrt_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/vector"
	"github.com/agentrt/agentrt/vector/embed/hashing"
	"github.com/agentrt/agentrt/vector/vectorfield"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// addDocs makes the collections teams, docs (a vector field with words, relations
// to a team and its owner) and members, and some records.
func addDocs(t *testing.T, a core.App) (docs *core.Collection, members map[string]*core.Record) {
	t.Helper()
	save := func(m core.Model) {
		t.Helper()
		if err := a.Save(m); err != nil {
			t.Fatal(err)
		}
	}
	teams := core.NewBaseCollection("teams")
	teams.Fields.Add(&core.TextField{Name: "name"})
	teams.ViewRule = types.Pointer("")
	save(teams)
	auth := core.NewAuthCollection("members")
	auth.ListRule, auth.ViewRule = types.Pointer(""), types.Pointer("")
	save(auth)
	docs = core.NewBaseCollection("docs")
	docs.Fields.Add(
		&core.TextField{Name: "title"},
		&core.TextField{Name: "secret", Hidden: true},
		&core.RelationField{Name: "team", CollectionId: teams.Id, MaxSelect: 1},
		&core.RelationField{Name: "owner", CollectionId: auth.Id, MaxSelect: 1},
		&vectorfield.Field{Name: "embedding", Dimensions: 3, Metric: vector.L2, Text: []string{"title"}})
	docs.ListRule, docs.ViewRule = types.Pointer("owner = @request.auth.id"), types.Pointer("owner = @request.auth.id")
	docs.CreateRule, docs.UpdateRule = types.Pointer("@request.auth.id != ''"), types.Pointer("owner = @request.auth.id")
	save(docs)
	members = map[string]*core.Record{}
	for _, name := range []string{"ann", "bob"} {
		r := core.NewRecord(auth)
		r.SetEmail(name + "@example.com")
		r.SetPassword("12345678")
		save(r)
		members[name] = r
	}
	team := map[string]string{}
	for _, name := range []string{"red", "blue"} {
		r := core.NewRecord(teams)
		r.Set("name", name)
		save(r)
		team[name] = r.Id
	}
	for i, d := range []struct {
		title, team, owner string
		x                  float32
	}{
		{"one red apple", "red", "ann", 1}, {"two blue pears", "blue", "ann", 2}, {"three red plums", "red", "bob", 3},
		{"four blue apples", "blue", "bob", 4}, {"five red pears", "red", "ann", 5},
	} {
		r := core.NewRecord(docs)
		r.Load(map[string]any{"id": fmt.Sprintf("doc%012d", i), "title": d.title, "team": team[d.team], "owner": members[d.owner].Id, "secret": "s" + d.title, "embedding": []float32{d.x, 0, 0}})
		save(r)
	}
	return docs, members
}

func TestVectorSearch(t *testing.T) {
	prelude := `
		const docs = pb.collection("docs");
		const titles = (hits: any[]) => hits.map((h) => h.title.split(" ")[0]).join();
		const member = async (name: string) => pb.collection("members").getFirstListItem("email = {:e}", { params: { e: name + "@example.com" } });
		const as = async (name: string) => pb.as(await member(name)).collection("docs");`
	list := []scenario{
		{"the specification's form", `const hits = await docs.vectorSearch({ vector: [2, 0, 0], field: "embedding", filter: "title ~ 'red'", top: 2 }); return [titles(hits), hits[0].distance, hits[0].score, Object.keys(hits[0]).sort().join()];`,
			`["one,three",1,0.5,"collectionId,collectionName,distance,id,owner,score,secret,team,title"]`},
		{"typed array, all by default", `return titles(await docs.vectorSearch({ vector: new Float32Array([4.1, 0, 0]) }));`, `"four,five,three,two,one"`},
		{"filter through a relation", `return titles(await docs.vectorSearch({ vector: [5, 0, 0], filter: "team.name = {:t}", params: { t: "blue" } }));`, `"four,two"`},
		{"parameters are quoted", `return titles(await docs.vectorSearch({ vector: [5, 0, 0], filter: "title = {:t}", params: { t: "' || id != '" } }));`, `""`},
		{"expand and fields", `const [hit] = await docs.vectorSearch({ vector: [5, 0, 0], top: 1, expand: "team", fields: "title,expand.team.name" }); return hit;`,
			`{"distance":0,"expand":{"team":{"name":"red"}},"score":1,"title":"five red pears"}`},
		{"vectors come when they are named", `const [hit] = await docs.vectorSearch({ vector: [5, 0, 0], top: 1, fields: ["embedding"] }); return hit;`, `{"distance":0,"embedding":[5,0,0],"score":1}`},
		{"least score", `return titles(await docs.vectorSearch({ vector: [1, 0, 0], minScore: 0.5 }));`, `"one,two"`},
		{"exact and recall", `return [titles(await docs.vectorSearch({ vector: [1, 0, 0], exact: true, top: 1 })), titles(await docs.vectorSearch({ vector: [1, 0, 0], recall: 1, top: 1 }))];`, `["one","one"]`},
		{"under the list rule", `return [titles(await (await as("ann")).vectorSearch({ vector: [3, 0, 0], top: 3 })), titles(await (await as("bob")).vectorSearch({ vector: [1, 0, 0], top: 3 })), await pb.as(null).collection("docs").vectorSearch({ vector: [1, 0, 0] })];`,
			`["two,one,five","three,four",[]]`},
		{"rules hide fields", `const [hit] = await (await as("ann")).vectorSearch({ vector: [1, 0, 0], top: 1 }); return "secret" in hit;`, `false`},
		{"no filter by hidden fields", `return fails(async () => (await as("ann")).vectorSearch({ vector: [1, 0, 0], filter: "secret = 'sone red apple'" }));`,
			`[400,"Invalid \"filter\": Expected a filter on the fields of docs, got \"secret = 'sone red apple'\": invalid left operand \"secret\" - non-filterable field \"secret\".",{"filter":{"code":"validation_vector_filter","message":"Expected a filter on the fields of docs, got \"secret = 'sone red apple'\": invalid left operand \"secret\" - non-filterable field \"secret\"."}}]`},
		{"superusers' filters only for them", `return fails(async () => (await as("ann")).vectorSearch({ vector: [1, 0, 0], filter: "@collection.members.id != ''" }));`, `[403,"Only superusers can filter by @collection.",{}]`},
		{"in a transaction", `try { await pb.tx(async (tx) => {
			await tx.collection("docs").create({ title: "zero", embedding: [0, 0, 0] });
			throw titles(await tx.collection("docs").vectorSearch({ vector: [0, 0, 0], top: 2 }));
		}); } catch (e) { return [e, titles(await docs.vectorSearch({ vector: [0, 0, 0], top: 2 }))]; }`, `["zero,one","one,two"]`},
		{"by a text", `const c = pb.collection("texts"); for (const title of ["a red apple", "the blue sea"]) await c.create({ title, v: (await import("./hash.ts")).default[title] });
			return fails(async () => titles(await c.vectorSearch({ text: "red apples", field: "v", top: 1 })));`, `"a"`},
		{"hybrid", `return [titles(await docs.hybridSearch({ text: "pears", vector: [1, 0, 0], top: 3 })), titles(await docs.hybridSearch({ text: "pears", weights: { vector: 0 } })), (await docs.hybridSearch({ text: "apple", weights: { vector: 0 } }))[0].distance];`,
			`["two,five,one","two,five",null]`},
		{"hybrid under rules and a filter", `return titles(await (await as("bob")).hybridSearch({ text: "apples plums", vector: [3, 0, 0], filter: "title ~ 'l'" }));`, `"three,four"`},
	}
	bad := func(name, code, want string) { list = append(list, scenario{"bad: " + name, code, want}) }
	invalid := func(name, options, option, code, message string) {
		text := fmt.Sprintf("Invalid %q: %s", option, message)
		want, err := json.Marshal([]any{400, text, map[string]any{option: map[string]any{"code": "validation_vector_" + code, "message": message}}})
		if err != nil {
			t.Fatal(err)
		}
		bad(name, `return fails(() => docs.vectorSearch(`+options+` as any));`, string(want))
	}
	invalid("dimension", `{ vector: [1, 2] }`, "vector", "dimension", "Expected 3 numbers, got 2.")
	invalid("empty", `{ vector: [] }`, "vector", "dimension", "Expected 3 numbers, got 0.")
	invalid("not a number", `{ vector: [1, NaN, 2] }`, "vector", "type", `Expected numbers, got the text "NaN" at position 1.`)
	invalid("no array", `{ vector: "1,2,3" }`, "vector", "type", `Expected an array of 3 numbers, got the text "1,2,3".`)
	invalid("beyond 32 bits", `{ vector: [1e39, 0, 0] }`, "vector", "number", "Expected finite numbers, got +Inf at position 0.")
	invalid("nothing", `{}`, "vector", "query", "Expected a vector or a text, got neither.")
	invalid("both", `{ vector: [1, 2, 3], text: "x" }`, "vector", "query", "Expected a vector or a text, got both.")
	invalid("field", `{ vector: [1, 2, 3], field: "title" }`, "field", "field", `Expected a vector field of docs, "embedding", got "title".`)
	invalid("top", `{ vector: [1, 2, 3], top: 1001 }`, "top", "top", "Expected 1 to 1000, got 1001.")
	invalid("fraction", `{ vector: [1, 2, 3], top: 1.5 }`, "top", "type", "Expected an integer, got number 1.5.")
	invalid("recall", `{ vector: [1, 2, 3], recall: 2 }`, "recall", "recall", "Expected 0 to 1, got 2.")
	invalid("least score", `{ vector: [1, 2, 3], minScore: "high" }`, "minScore", "type", "Expected a number, got string.")
	bad("an unknown option", `return fails(() => docs.vectorSearch({ vector: [1, 2, 3], limit: 3 } as any));`, `["TypeError","","vectorSearch() has no option \"limit\""]`)
	bad("no object", `return fails(() => docs.vectorSearch([1, 2, 3].length as any));`, `["TypeError","","vectorSearch() takes an object with a vector or a text"]`)
	bad("a collection without vectors", `return (await fails(() => pb.collection("teams").vectorSearch({ vector: [1] })))[2].field.message;`, `"Expected a collection with a vector field, got \"teams\", which has none."`)
	bad("no collection", `return (await fails(() => pb.collection("none").vectorSearch({ vector: [1] })))[0];`, `404`)
	bad("superusers only", `return fails(() => pb.as(null).collection("teams").vectorSearch({ vector: [1] }));`, `[400,"Invalid \"field\": Expected a collection with a vector field, got \"teams\", which has none.",{"field":{"code":"validation_vector_field","message":"Expected a collection with a vector field, got \"teams\", which has none."}}]`)
	bad("no words", `return (await fails(() => docs.hybridSearch({ text: " " })))[1];`, `"Invalid \"text\": Expected words to look for, got none."`)
	bad("weights", `return (await fails(() => docs.hybridSearch({ text: "a", weights: { text: -1 } })))[1];`, `"Invalid \"weights\": Expected for text 0 to 100, got -1."`)
	bad("dimensions of a text", `return (await fails(() => pb.collection("docs").create({ title: "x", embedding: [1, 2] })))[2];`, `{"embedding":{"code":"validation_vector_dimension","message":"Expected 3 numbers, got 2."}}`)

	bad("a model of other dimensions", `return (await fails(() => pb.collection("texts").vectorSearch({ text: "x", field: "short" })))[2].text.message;`,
		`"Wrong number of dimensions (hashing/256): its vectors have 256 dimensions, 64 are wanted: use the model \"hashing\", which has any length, or a field of that dimension."`)
	bad("an unknown model", `return (await fails(() => pb.collection("texts").vectorSearch({ text: "x", field: "unknown" })))[2].text.message;`,
		`"Unknown embedding model (none/none): there is no provider \"none\": set NONE_BASE_URL to its address, or use one of: ollama, openai, hashing."`)
	bad("no key", `return (await fails(() => pb.collection("texts").vectorSearch({ text: "x", field: "keyless" }))).slice(0, 2);`,
		`[500,"The text cannot be embedded: no valid key for the embedding provider (openai/text-embedding-3-small): there is neither a secret nor an environment variable OPENAI_API_KEY: set one (\"agentrt secrets set OPENAI_API_KEY\"), configure noKey for \"openai\" if it needs none, or use the offline model \"hashing\"."]`)
	bad("no key over the Web API", `return (await fails(() => pb.as(null).collection("texts").vectorSearch({ text: "x", field: "keyless" }))).slice(0, 2);`, `[500,"The text cannot be embedded: no valid key for the embedding provider."]`)

	vectors := map[string][]float32{}
	for _, text := range []string{"a red apple", "the blue sea"} {
		vectors[text] = hashed(64, text)
	}
	module, err := json.Marshal(vectors)
	if err != nil {
		t.Fatal(err)
	}
	runScenarios(t, func(files map[string]string) *app {
		files["routes/run.ts"] = strings.ReplaceAll(files["routes/run.ts"], `await import("./hash.ts")`, `{ default: `+string(module)+` as Record<string, number[]> }`)
		a := newApp(t, files)
		addDocs(t, a)
		c := core.NewBaseCollection("texts")
		c.ListRule = types.Pointer("")
		c.Fields.Add(&core.TextField{Name: "title"}, &vectorfield.Field{Name: "v", Dimensions: 64, Embed: &vectorfield.Embed{From: "title", Model: "hashing"}},
			&vectorfield.Field{Name: "short", Dimensions: 64, Embed: &vectorfield.Embed{From: "title", Model: "hashing/256"}},
			&vectorfield.Field{Name: "unknown", Dimensions: 64, Embed: &vectorfield.Embed{From: "title", Model: "none/none"}},
			&vectorfield.Field{Name: "keyless", Dimensions: 64})
		if err := a.Save(c); err != nil {
			t.Fatal(err)
		}
		return a
	}, `{}`, prelude, list, nil)
}

// post sends JSON to the Web API.
func (a *app) post(path, token string, body any) (int, string) {
	a.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		a.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, a.URL+path, bytes.NewReader(text))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Authorization", token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return res.StatusCode, string(got)
}

func token(t *testing.T, r *core.Record) string {
	t.Helper()
	token, err := r.NewAuthToken()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestVectorSearchOverREST(t *testing.T) {
	a := newApp(t, nil)
	docs, members := addDocs(t, a)
	ann := token(t, members["ann"])
	for _, test := range []struct {
		path, token string
		body        map[string]any
		status      int
		want        string
	}{
		{"vector-search?fields=title&expand=team", ann, map[string]any{"vector": []float32{3, 0, 0}, "top": 2}, 200, `{"items":[{"distance":1,"score":0.5,"title":"two blue pears"},{"distance":2,"score":0.3333333333333333,"title":"one red apple"}]}`},
		{"vector-search", ann, map[string]any{"vector": []float32{5, 0, 0}, "top": 1, "fields": "embedding,secret"}, 200, `{"items":[{"distance":0,"embedding":[5,0,0],"score":1}]}`},
		{"vector-search", "", map[string]any{"vector": []float32{3, 0, 0}}, 200, `{"items":[]}`},
		{"hybrid-search", ann, map[string]any{"text": "apples red", "vector": []float32{5, 0, 0}, "top": 1, "fields": "title"}, 200, `{"items":[{"distance":0,"score":0.03252247488101534,"title":"five red pears"}]}`},
		{"vector-search", ann, map[string]any{"vector": []float32{3, 0}}, 400, `{"data":{"vector":{"code":"validation_vector_dimension","message":"Expected 3 numbers, got 2."}},"message":"Invalid \"vector\": Expected 3 numbers, got 2.","status":400}`},
		{"vector-search", ann, map[string]any{"vectors": []float32{3, 0}}, 400, `{"data":{"vectors":{"code":"validation_vector_option","message":"There is no such option."}},"message":"Invalid \"vectors\": There is no such option.","status":400}`},
	} {
		status, got := a.post("/api/collections/docs/"+test.path, test.token, test.body)
		if status != test.status || strings.TrimSpace(got) != test.want {
			t.Errorf("%s %v: %d\n got %s\nwant %s", test.path, test.body, status, got, test.want)
		}
	}
	t.Run("values", func(t *testing.T) {
		a := &app{a.App, t}
		status, got := a.post("/api/collections/docs/records?fields=embedding,title", ann, map[string]any{"title": "new", "embedding": []float32{1, 2.5, -3}})
		if want := `{"embedding":[1,2.5,-3],"title":"new"}`; status != 200 || strings.TrimSpace(got) != want {
			t.Errorf("created: %d %s", status, got)
		}
		status, got = a.post("/api/collections/docs/records", ann, map[string]any{"title": "new", "embedding": []float32{1, 2.5, -3}})
		if status != 200 || strings.Contains(got, "embedding") {
			t.Errorf("without fields: %d %s", status, got)
		}
		status, got = a.post("/api/collections/docs/records", ann, map[string]any{"embedding": "1:0123456789abcdef01234567"})
		if status != 400 || !strings.Contains(got, `"embedding":{"code":"validation_vector_not_loaded"`) {
			t.Errorf("a checksum as a value: %d %s", status, got)
		}
	})
	t.Run("hooks of lists", func(t *testing.T) {
		a := &app{a.App, t}
		id := a.OnRecordsListRequest("docs").BindFunc(func(e *core.RecordsListRequestEvent) error {
			e.Records = slices.DeleteFunc(e.Records, func(r *core.Record) bool { return strings.HasPrefix(r.GetString("title"), "one") })
			return e.Next()
		})
		defer a.OnRecordsListRequest("docs").Unbind(id)
		if _, got := a.post("/api/collections/docs/vector-search?fields=title", ann, map[string]any{"vector": []float32{0, 0, 0}, "top": 2}); strings.Contains(got, "one red") || !strings.Contains(got, "two blue") {
			t.Errorf("got %s", got)
		}
	})
	t.Run("superusers only", func(t *testing.T) {
		a := &app{a.App, t}
		docs.ListRule = nil
		if err := a.Save(docs); err != nil {
			t.Fatal(err)
		}
		if status, got := a.post("/api/collections/docs/vector-search", ann, map[string]any{"vector": []float32{3, 0, 0}}); status != 403 {
			t.Errorf("%d %s", status, got)
		}
	})
	t.Run("hidden vectors", func(t *testing.T) {
		a := &app{a.App, t}
		docs.ListRule = types.Pointer("")
		docs.Fields.GetByName("embedding").SetHidden(true)
		if err := a.Save(docs); err != nil {
			t.Fatal(err)
		}
		if status, got := a.post("/api/collections/docs/vector-search", ann, map[string]any{"vector": []float32{3, 0, 0}, "field": "embedding"}); status != 400 || !strings.Contains(got, "which has none") {
			t.Errorf("%d %s", status, got)
		}
	})
	t.Run("too large a body", func(t *testing.T) {
		a := &app{a.App, t}
		if status, got := a.post("/api/collections/docs/vector-search", ann, map[string]any{"text": strings.Repeat("x", 1<<20)}); status != http.StatusRequestEntityTooLarge {
			t.Errorf("too large a body: %d %s", status, got)
		}
	})
}

// TestForbiddenNeighboursTakeNoPlaces has thousands of forbidden records nearer than
// the permitted ones, with an index.
func TestForbiddenNeighboursTakeNoPlaces(t *testing.T) {
	a := newApp(t, nil)
	docs, members := addDocs(t, a)
	const dim, forbidden, permitted = 32, 6000, 40
	random := rand.New(rand.NewPCG(7, 1))
	c := core.NewBaseCollection("many")
	c.Fields.Add(&core.RelationField{Name: "owner", CollectionId: members["ann"].Collection().Id, MaxSelect: 1}, &core.NumberField{Name: "n"},
		&vectorfield.Field{Name: "v", Dimensions: dim, Metric: vector.L2})
	c.ListRule = docs.ListRule
	if err := a.Save(c); err != nil {
		t.Fatal(err)
	}
	var items []vector.Item
	err := a.RunInTransaction(func(tx core.App) error {
		for i := range forbidden + permitted {
			owner, far := members["bob"].Id, float32(0)
			if i%((forbidden+permitted)/permitted) == 0 && i/((forbidden+permitted)/permitted) < permitted {
				owner, far = members["ann"].Id, 50
			}
			id := fmt.Sprintf("r%014d", i)
			if _, err := tx.DB().NewQuery("INSERT INTO many (id, owner, n) VALUES ({:id}, {:owner}, {:n})").Bind(map[string]any{"id": id, "owner": owner, "n": i % 2}).Execute(); err != nil {
				return err
			}
			v := make([]float32, dim)
			for k := range v {
				v[k] = far + random.Float32()
			}
			items = append(items, vector.Item{ID: id, Vector: v})
		}
		return a.Engine.Vectors().Set(t.Context(), tx, c, "v", items...)
	})
	if err != nil {
		t.Fatal(err)
	}
	place, err := a.Engine.Vectors().Places(a, "many")
	if err != nil {
		t.Fatal(err)
	}
	for _, indexed := range []bool{false, true} {
		for built := !indexed; !built; { // the first searches have begun it
			r, err := a.Engine.Vectors().Verify(t.Context(), a, place[0], nil)
			if err != nil || !r.OK() {
				t.Fatalf("%+v, %v", r, err)
			}
			built = r.Index.Indexed
		}
		for _, test := range []struct {
			filter    string
			top, want int
		}{{"", 10, 10}, {"", 40, 40}, {"", 50, 40}, {"n = 0", 30, 20}} {
			status, got := a.post("/api/collections/many/vector-search", token(t, members["ann"]), map[string]any{"vector": make([]float32, dim), "top": test.top, "filter": test.filter})
			var found struct{ Items []struct{ Owner string } }
			if err := json.Unmarshal([]byte(got), &found); err != nil || status != 200 {
				t.Fatalf("%d %s", status, got)
			}
			if len(found.Items) != test.want {
				t.Errorf("indexed %v, filter %q: %d records, want %d", indexed, test.filter, len(found.Items), test.want)
			}
			for _, item := range found.Items {
				if item.Owner != members["ann"].Id {
					t.Errorf("indexed %v: a record of another's", indexed)
				}
			}
		}
	}
}

// TestVectorsInHooksAndBatches: hooks see the vector that is being written, and a
// batch that fails leaves none.
func TestVectorsInHooksAndBatches(t *testing.T) {
	a := newApp(t, map[string]string{"hooks/docs.ts": `
		pb.onRecordBeforeCreate("docs", (e) => {
			if (e.record.title === "double") e.record.embedding = e.record.embedding.map((x: number) => 2 * x);
			if (e.record.title === "make") e.record.embedding = [7, 7, 7];
			if (e.record.title === "wrong") e.record.embedding = [7];
		});
		pb.onRecordBeforeUpdate("docs", (e) => {
			if (e.record.title === "seen") e.record.secret = JSON.stringify(e.record.embedding);
			if (e.record.title === "clear") e.record.embedding = [];
		});`, "routes/run.ts": `
		const docs = pb.collection("docs");
		const vec = async (id: string) => (await docs.getOne(id, { fields: "embedding" })).embedding;
		export const GET = async () => {
			const out: any[] = [];
			const a = await docs.create({ title: "double", embedding: [1, 2, 3] });
			out.push("embedding" in a, await vec(a.id));
			await docs.update(a.id, { title: "seen" });
			out.push((await docs.getOne(a.id)).secret, await vec(a.id));
			await docs.update(a.id, { title: "clear" });
			out.push(await vec(a.id));
			out.push(await vec((await docs.create({ title: "make" })).id));
			try { await docs.create({ title: "wrong" }); } catch (e: any) { out.push(e.response.data.embedding.message); }
			const batch = pb.createBatch();
			batch.collection("docs").create({ id: "batch0000000001", title: "b", embedding: [100, 0, 0] });
			batch.collection("docs").update("doc000000000000", { embedding: [101, 0, 0] });
			batch.collection("docs").create({ title: "b", embedding: [1] });
			try { await batch.send(); } catch (e: any) { out.push(e.response.data.requests[2].response.data.embedding.message); }
			out.push((await docs.vectorSearch({ vector: [100, 0, 0], top: 1, fields: "id" }))[0]);
			const good = pb.createBatch();
			good.collection("docs").create({ id: "batch0000000002", title: "b", embedding: [100, 0, 0] });
			good.collection("docs").update("doc000000000000", { embedding: [101, 0, 0] });
			good.collection("docs").delete("doc000000000001");
			await good.send();
			out.push((await docs.vectorSearch({ vector: [100, 0, 0], top: 2, fields: "id" })).map((h: any) => h.id), await docs.vectorSearch({ vector: [2, 0, 0], top: 1, fields: "id" }));
			return Response.json(out);
		};`})
	addDocs(t, a)
	got := a.get("/run")
	want := `[false,[2,4,6],"null",[2,4,6],null,[7,7,7],"Expected 3 numbers, got 1.","Expected 3 numbers, got 1.",{"distance":93.52539762011173,"id":`
	if !strings.HasPrefix(got.body, want) || !strings.HasSuffix(got.body, `["batch0000000002","doc000000000000"],[{"distance":1,"id":"doc000000000002","score":0.5}]]`) {
		t.Errorf("%d\n got %s\nwant %s…", got.status, got.body, want)
	}
	places, err := a.Engine.Vectors().Places(a, "docs")
	if err != nil {
		t.Fatal(err)
	}
	if r, err := a.Engine.Vectors().Verify(t.Context(), a, places[0], nil); err != nil || !r.OK() {
		t.Errorf("%+v, %v", r, err)
	}
}

func hashed(dim int, text string) []float32 { return hashing.New(dim).Embed(text) }

func TestVectorSearchFromGo(t *testing.T) {
	a := newApp(t, nil)
	_, members := addDocs(t, a)
	for _, test := range []struct {
		name string
		auth *core.Record
		want string
	}{{"all", agentrt.AllRecords, "three"}, {"ann", members["ann"], "two"}, {"guest", nil, ""}} {
		hits, err := a.Engine.VectorSearch(t.Context(), "docs", test.auth, vectorfield.Query{Vector: []float32{3, 0, 0}, Top: 1})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if len(hits) > 0 {
			got, _, _ = strings.Cut(hits[0].Record.GetString("title"), " ")
		}
		if got != test.want {
			t.Errorf("%s found %q, want %q", test.name, got, test.want)
		}
	}
	if hits, err := a.Engine.HybridSearch(t.Context(), "docs", members["ann"], vectorfield.Hybrid{Query: vectorfield.Query{Text: "five pears", Vector: []float32{5, 0, 0}, Top: 1}}); err != nil || len(hits) != 1 || hits[0].Record.GetString("title") != "five red pears" {
		t.Errorf("hybrid: %v, %v", hits, err)
	}
}
