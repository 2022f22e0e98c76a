package agentrt_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// operation is one call, made over REST and through pb.as.
type operation struct {
	As         string         `json:"as"`
	Kind       string         `json:"kind"`
	Collection string         `json:"collection"`
	ID         string         `json:"id"`
	Body       map[string]any `json:"body,omitempty"`
	Options    map[string]any `json:"options,omitempty"`
	Batch      []operation    `json:"batch,omitempty"`
}

type outcome struct {
	Status int `json:"status"`
	Body   any `json:"body"`
}

// ruleRoute runs operations through pb.as.
const ruleRoute = `
	async function run(as: any, o: any) {
		const c = as.collection(o.collection || "none");
		switch (o.kind) {
			case "view": return c.getOne(o.id, o.options);
			case "list": return c.getList(o.options.page, o.options.perPage, o.options);
			case "create": return c.create(o.body, o.options);
			case "update": return c.update(o.id, o.body, o.options);
			case "delete": return c.delete(o.id, o.options);
			case "batch": {
				const batch = as.createBatch();
				for (const b of o.batch) {
					const sub = batch.collection(b.collection);
					if (b.kind === "create") sub.create(b.body, b.options);
					else if (b.kind === "update") sub.update(b.id, b.body, b.options);
					else sub.delete(b.id, b.options);
				}
				return batch.send();
			}
		}
		throw new Error("unknown kind " + o.kind);
	}
	export const config = { timeout: "60s", cpu: "60s" };
	export const POST = async (req: Request) => {
		const { operations, identities } = await req.json();
		const out: any[] = [];
		for (const o of operations) {
			try {
				const body = await run(pb.as(identities[o.as]), o);
				out.push(o.kind === "delete" && body === true ? { status: 204, body: null } : { status: 200, body });
			} catch (e: any) {
				if (!(e instanceof pb.ClientResponseError)) throw e;
				out.push({ status: e.status, body: e.response });
			}
		}
		return Response.json(out);
	};`

// TestRulesAsREST runs generated operations over REST in one app and through pb.as
// in another with the same data, and compares what they answer.
func TestRulesAsREST(t *testing.T) {
	const cases, perCall = 2400, 150
	rest, sandbox := newRuleApp(t), newRuleApp(t)
	g := &generator{rand: rand.New(rand.NewPCG(6, 2026))}
	statuses := map[string]int{}
	failures := 0
	for done := 0; done < cases; done += perCall {
		operations := make([]operation, perCall)
		for k := range operations {
			operations[k] = g.operation()
		}
		got := sandbox.pass(operations)
		for k, o := range operations {
			want := rest.send(o)
			statuses[fmt.Sprintf("%s %d", o.Kind, want.Status)]++
			if a, b := normalize(want), normalize(got[k]); !reflect.DeepEqual(a, b) {
				text, _ := json.Marshal(o)
				t.Errorf("case %d: %s\nREST  %v\npb.as %v", done+k, text, a, b)
				if failures++; failures == 5 {
					t.Fatal("too many differences")
				}
			}
		}
	}
	t.Logf("%d cases: %v", cases, statuses)
	for _, kind := range []string{"view 200", "view 403", "view 404", "list 200", "list 400", "list 403", "create 200", "create 400", "create 403",
		"update 200", "update 400", "update 403", "update 404", "delete 204", "delete 400", "delete 403", "delete 404", "batch 200", "batch 400"} {
		if statuses[kind] == 0 {
			t.Errorf("no case of %s: the generator has lost it", kind)
		}
	}
}

type ruleApp struct {
	*app
	tokens     map[string]string
	identities map[string]any
	requests   int
}

func newRuleApp(t *testing.T) *ruleApp {
	running := newAppWith(t, map[string]string{"routes/rules.ts": ruleRoute}, func(app core.App) error {
		s := app.Settings()
		s.Batch.Enabled, s.Batch.MaxRequests = true, 50
		s.TrustedProxy.Headers = []string{"X-Test-Address"} // searches without results are slowed down by address
		return app.Save(s)
	})
	a := &ruleApp{app: running, tokens: map[string]string{"guest": ""}, identities: map[string]any{"guest": nil}}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	rules := func(c *core.Collection, list, view, create, update, del *string) *core.Collection {
		c.ListRule, c.ViewRule, c.CreateRule, c.UpdateRule, c.DeleteRule = list, view, create, update, del
		return c
	}
	open, manager := types.Pointer(""), types.Pointer("@request.auth.role = 'manager'")
	r := types.Pointer[string]

	people := core.NewAuthCollection("people")
	people.Fields.Add(&core.TextField{Name: "name"}, &core.TextField{Name: "role"}, &core.TextField{Name: "note", Hidden: true})
	people.Fields.GetByName("password").(*core.PasswordField).Cost = 4
	must(a.Save(rules(people, open, open, open, r("id = @request.auth.id || @request.auth.role = 'manager'"), manager)))
	people.ManageRule = r("@request.auth.role = 'manager' && role != 'admin'")
	must(a.Save(people))

	tags := core.NewBaseCollection("tags")
	tags.Fields.Add(&core.TextField{Name: "name", Required: true})
	tags.AddIndex("tags_name", true, "name", "")
	must(a.Save(rules(tags, open, open, nil, manager, nil)))

	notes := core.NewBaseCollection("notes")
	notes.Fields.Add(&core.TextField{Name: "title", Required: true, Max: 20}, &core.NumberField{Name: "n", OnlyInt: true}, &core.BoolField{Name: "public"},
		&core.BoolField{Name: "locked"}, &core.TextField{Name: "secret", Hidden: true}, &core.JSONField{Name: "meta"},
		&core.RelationField{Name: "owner", CollectionId: people.Id}, &core.RelationField{Name: "tags", CollectionId: tags.Id, MaxSelect: 5},
		&core.AutodateField{Name: "created", OnCreate: true})
	visible := r("public = true || owner = @request.auth.id")
	must(a.Save(rules(notes, visible, visible, r("@request.auth.id != '' && @request.body.owner = @request.auth.id"),
		r("owner = @request.auth.id && (@request.body.locked:isset = false || @request.auth.role = 'manager')"), r("owner = @request.auth.id || @request.auth.role = 'manager'"))))

	comments := core.NewBaseCollection("comments")
	comments.Fields.Add(&core.TextField{Name: "text", Required: true}, &core.RelationField{Name: "note", CollectionId: notes.Id, Required: true},
		&core.RelationField{Name: "author", CollectionId: people.Id, CascadeDelete: true})
	must(a.Save(rules(comments, r("note.public = true"), r("note.owner = @request.auth.id || author = @request.auth.id"),
		r("@request.auth.id != '' && note.public = true && @request.method = 'POST' && @request.context = 'default'"),
		r("@collection.notes.owner ?= @request.auth.id && @request.headers.x_force = '1'"), r("@request.query.force = '1'"))))

	vault := core.NewBaseCollection("vault")
	vault.Fields.Add(&core.TextField{Name: "text"}, &core.RelationField{Name: "note", CollectionId: notes.Id})
	must(a.Save(rules(vault, nil, nil, nil, nil, nil)))

	shown := core.NewViewCollection("shown")
	shown.ViewQuery = "SELECT id, title, owner FROM notes WHERE public = TRUE"
	shown.ListRule, shown.ViewRule = open, r("owner = @request.auth.id")
	must(a.Save(shown))

	add := func(collection, id string, fields map[string]any) *core.Record {
		c, err := a.FindCollectionByNameOrId(collection)
		must(err)
		record := core.NewRecord(c)
		record.Set("id", id)
		record.Load(fields)
		must(a.Save(record))
		return record
	}
	identity := func(name string, record *core.Record) {
		token, err := record.NewAuthToken()
		must(err)
		a.tokens[name] = token
		a.identities[name] = map[string]string{"id": record.Id, "collectionName": record.Collection().Name}
	}
	for k, name := range personNames {
		role := map[int]string{2: "manager", 4: "admin"}[k]
		record := add("people", fixedID("people", k), map[string]any{"name": name, "role": role, "email": name + "@example.com", "password": "12345678", "emailVisibility": k%2 == 0, "verified": k == 1, "note": "hidden"})
		if k < 3 {
			identity(name, record)
		}
	}
	identity("root", add(core.CollectionNameSuperusers, fixedID("root", 0), map[string]any{"email": "root@example.com", "password": "1234567890"}))
	for k := range 6 {
		add("tags", fixedID("tags", k), map[string]any{"name": fmt.Sprint("tag", k)})
	}
	for k := range 60 {
		add("notes", fixedID("notes", k), map[string]any{"title": fmt.Sprint("note ", k), "n": k % 7, "public": k%3 == 0, "locked": k%5 == 0, "secret": fmt.Sprint("s", k%4),
			"meta": map[string]any{"k": k % 2}, "owner": fixedID("people", k%6), "tags": []string{fixedID("tags", k%6), fixedID("tags", (k+2)%6)}})
	}
	for k := range 60 {
		add("comments", fixedID("comments", k), map[string]any{"text": fmt.Sprint("c", k), "note": fixedID("notes", k), "author": fixedID("people", (k/2)%6)})
	}
	for k := range 5 {
		add("vault", fixedID("vault", k), map[string]any{"text": "v", "note": fixedID("notes", k)})
	}
	return a
}

var personNames = []string{"ann", "bob", "mia", "cat", "dan", "eve"}

func fixedID(prefix string, k int) string { return fmt.Sprintf("%s%0*d", prefix, 15-len(prefix), k) }

// send makes o over REST.
func (a *ruleApp) send(o operation) outcome {
	a.t.Helper()
	method, path, query := o.rest()
	var body []byte
	if o.Kind == "batch" {
		requests := []map[string]any{}
		for _, b := range o.Batch {
			m, p, q := b.rest()
			if q != "" {
				p += "?" + q
			}
			fields := b.Body
			if fields == nil {
				fields = map[string]any{}
			}
			requests = append(requests, map[string]any{"method": m, "url": p, "body": fields})
		}
		body, _ = json.Marshal(map[string]any{"requests": requests})
	} else if o.Kind == "create" || o.Kind == "update" {
		body, _ = json.Marshal(o.Body)
	}
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.URL+path+"?"+query, bytes.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token := a.tokens[o.As]; token != "" {
		req.Header.Set("Authorization", token)
	}
	if headers, ok := o.Options["headers"].(map[string]string); ok {
		for name, value := range headers {
			req.Header.Set(name, value)
		}
	}
	a.requests++
	req.Header.Set("X-Test-Address", fmt.Sprintf("fd00::%x", a.requests))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer res.Body.Close()
	out := outcome{Status: res.StatusCode}
	if res.StatusCode != http.StatusNoContent {
		if err := json.NewDecoder(res.Body).Decode(&out.Body); err != nil {
			a.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return out
}

// rest is the method, path and query of o.
func (o *operation) rest() (method, path, query string) {
	q := url.Values{}
	for key, value := range o.Options {
		if key != "headers" {
			q.Set(key, fmt.Sprint(value))
		}
	}
	method = map[string]string{"view": "GET", "list": "GET", "create": "POST", "update": "PATCH", "delete": "DELETE", "batch": "POST"}[o.Kind]
	if o.Kind == "batch" {
		return method, "/api/batch", ""
	}
	path = "/api/collections/" + o.Collection + "/records"
	if o.ID != "" {
		path += "/" + o.ID
	}
	return method, path, q.Encode()
}

// pass runs operations through pb.as in one invocation.
func (a *ruleApp) pass(operations []operation) []outcome {
	a.t.Helper()
	body, err := json.Marshal(map[string]any{"operations": operations, "identities": a.identities})
	if err != nil {
		a.t.Fatal(err)
	}
	res := a.do("POST", "/rules", string(body))
	var out []outcome
	if err := json.Unmarshal([]byte(res.body), &out); err != nil || len(out) != len(operations) {
		a.t.Fatalf("status %d, %d outcomes of %d: %.300s", res.status, len(out), len(operations), res.body)
	}
	return out
}

var (
	timestamp    = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z`)
	collectionID = regexp.MustCompile(`pbc_\d+`)
)

// normalize takes out dates; ids are chosen by the test.
func normalize(o outcome) any {
	text, _ := json.Marshal(o)
	text = timestamp.ReplaceAll(text, []byte("DATE"))
	text = collectionID.ReplaceAll(text, []byte("COLLECTION"))
	var out any
	_ = json.Unmarshal(text, &out)
	return out
}

type generator struct {
	rand *rand.Rand
	next int
}

func pick[T any](g *generator, list ...T) T { return list[g.rand.IntN(len(list))] }

func (g *generator) chance(percent int) bool { return g.rand.IntN(100) < percent }

var recordCounts = map[string]int{"notes": 66, "comments": 64, "tags": 7, "people": 6, "vault": 5, "shown": 60}

func (g *generator) id(collection string) string {
	if collection == "shown" {
		collection = "notes"
	}
	return fixedID(collection, g.rand.IntN(recordCounts[collection]))
}

func (g *generator) operation() operation {
	o := operation{As: pick(g, "guest", "ann", "bob", "mia", "mia", "ann", "root"), Kind: pick(g, "view", "list", "list", "create", "update", "update", "delete", "batch")}
	if o.Kind == "batch" {
		for range 1 + g.rand.IntN(3) {
			b := g.write(pick(g, "create", "update", "delete"))
			o.Batch = append(o.Batch, b)
		}
		return o
	}
	if o.Kind == "view" || o.Kind == "list" {
		o.Collection = pick(g, "notes", "notes", "comments", "people", "tags", "vault", "shown", "missing")
		o.Options = g.options(o.Collection)
		if o.Kind == "view" {
			delete(o.Options, "filter")
			delete(o.Options, "sort")
			o.ID = "missing00000000"
			if o.Collection != "missing" {
				o.ID = g.id(o.Collection)
			}
		} else {
			o.Options["page"], o.Options["perPage"] = 1+g.rand.IntN(2), pick(g, 1, 5, 30)
			if g.chance(30) {
				o.Options["skipTotal"] = "1"
			}
		}
		return o
	}
	w := g.write(o.Kind)
	w.As = o.As
	if w.Collection == "comments" && g.chance(70) {
		w.Options["headers"] = map[string]string{"X-Force": "1"}
	}
	return w
}

func (g *generator) options(collection string) map[string]any {
	o := map[string]any{}
	if g.chance(60) {
		o["filter"] = pick(g, "n > 3", "title ~ 'note 1'", "public = true && n < 5", "owner.name = 'ann'", "owner.email ~ 'ann'", "secret = 's1'", "owner.note = 'hidden'",
			"tags.name ?= 'tag1'", "@request.auth.id != ''", "@collection.vault.text = 'v'", "nothing = 1", "(broken", "meta.k = 1", "note.title ~ '1'", "note.secret = 's1'",
			"name = 'bob'", "email ~ 'example'", "role = 'manager'", "comments_via_note.text ~ 'c'", "text ~ 'c1'", "title = 'none at all'", "password != ''", "tokenKey != ''")
	}
	// Without a total order SQLite is free to choose one.
	o["sort"] = "id"
	if g.chance(50) {
		o["sort"] = pick(g, "-n,id", "title,id", "owner.name,id", "secret,id", "-@rowid", "nothing", "id", "-n,title,id", "email,id")
	}
	if g.chance(50) {
		o["expand"] = pick(g, "owner", "tags", "owner,tags", "note.owner", "note,author", "comments_via_note", "comments_via_note.author", "notes_via_owner", "vault_via_note", "nothing")
	}
	if g.chance(25) {
		o["fields"] = pick(g, "id,title", "*,expand.owner.name", "id,title:excerpt(3)", "expand.note.title,id", "id,email", "secret,id", "items")
	}
	return o
}

func (g *generator) write(kind string) operation {
	o := operation{Kind: kind, Collection: pick(g, "notes", "notes", "notes", "comments", "comments", "people", "people", "tags", "vault", "shown"), Options: map[string]any{}}
	if kind != "create" {
		o.ID = g.id(o.Collection)
	}
	if o.Collection == "people" && kind != "create" {
		// Changing what the tokens of the identities depend on would make them guests over REST.
		o.ID = fixedID("people", 3+g.rand.IntN(3))
		if kind == "delete" && g.chance(80) {
			o.ID = "missing00000000"
		}
	}
	if kind == "delete" {
		if g.chance(50) {
			o.Options["force"] = "1"
		}
		return o
	}
	if g.chance(30) {
		o.Options = g.options(o.Collection)
		delete(o.Options, "filter")
		delete(o.Options, "sort")
	}
	o.Body = g.body(o.Collection, kind)
	return o
}

func (g *generator) body(collection, kind string) map[string]any {
	b := map[string]any{}
	maybe := func(percent int, key string, value any) {
		if g.chance(percent) {
			b[key] = value
		}
	}
	if kind == "create" {
		g.next++
		b["id"] = fmt.Sprintf("new%012d", g.next)
		if g.chance(15) && collection != "people" {
			b["id"] = g.id(collection)
		}
	}
	person := fixedID("people", g.rand.IntN(3))
	switch collection {
	case "notes":
		maybe(90, "title", pick(g, "new note", "", strings.Repeat("x", 21), "another", "n"))
		maybe(40, "n", pick[any](g, 3, 2.5, "4", "x", nil))
		maybe(30, "n+", 2)
		maybe(30, "public", g.chance(50))
		maybe(30, "locked", true)
		maybe(30, "secret", "set")
		if kind == "create" {
			maybe(85, "owner", person)
		} else {
			maybe(10, "owner", person)
		}
		maybe(30, "tags", []string{g.id("tags"), g.id("tags")})
		// One modifier only: PocketBase applies those of one length in any order.
		maybe(40, pick(g, "tags+", "+tags", "tags-"), g.id("tags"))
		maybe(20, "meta", pick[any](g, map[string]any{"k": 1}, []any{1, "x"}, "text", nil))
		maybe(10, "unknown", 1)
	case "comments":
		maybe(90, "text", pick(g, "hello", "", "again"))
		maybe(85, "note", g.id("notes"))
		maybe(50, "author", person)
	case "people":
		maybe(60, "name", "new name")
		maybe(30, "role", pick(g, "manager", "admin", ""))
		maybe(40, "emailVisibility", g.chance(50))
		maybe(20, "verified", g.chance(70))
		maybe(20, "note", "set")
		if kind == "create" {
			maybe(80, "email", fmt.Sprintf("new%d@example.com", g.next))
			maybe(90, "password", "12345678")
			maybe(90, "passwordConfirm", pick(g, "12345678", "12345678", "different"))
		} else {
			maybe(30, "email", fmt.Sprintf("changed%d@example.com", g.rand.IntN(1000)))
			maybe(20, "password", "87654321")
			maybe(20, "passwordConfirm", "87654321")
			maybe(20, "oldPassword", pick(g, "12345678", "wrong"))
		}
	case "tags":
		maybe(90, "name", pick(g, "tag1", "tag9", "", fmt.Sprint("t", g.rand.IntN(100))))
	default:
		maybe(90, "text", "v")
	}
	return b
}
