package types_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/agentrt/types"
	"github.com/agentrt/agentrt/hostfn/hostmodule"
	"github.com/agentrt/agentrt/internal/npmtest"
	"github.com/agentrt/agentrt/vector/vectorfield"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
)

type color string

type page[T any] struct {
	Items []T            `json:"items"`
	Next  *page[T]       `json:"next"`
	Extra map[string]any `json:"extra,omitempty"`
}

type base struct {
	Created time.Time `json:"created"`
}

type thing struct {
	base
	Color  color  `json:"color"`
	Data   []byte `json:"data"`
	Big    int64  `json:"big,string"`
	Hidden string `json:"-"`
	Sub    struct {
		OK bool `json:"o-k"`
	} `json:"sub"`
}

func modules() []*hostmodule.Module {
	m := hostmodule.New("things", "Keeps things. */ not a way out")
	hostmodule.Async(m, "list", func(context.Context, *thing) (page[thing], error) { return page[thing]{}, nil })
	hostmodule.Sync(m, "size", func(_ context.Context, b []byte) (int, error) { return len(b), nil })
	hostmodule.Async(m, "both", func(_ context.Context, in hostmodule.Message[thing]) (hostmodule.Message[map[string]color], error) {
		return hostmodule.Message[map[string]color]{}, nil
	})
	hostmodule.Sync(m, "reset", func(context.Context, hostmodule.None) (hostmodule.None, error) { return hostmodule.None{}, nil })
	return []*hostmodule.Module{m}
}

// vectorField stands for a type of field that PocketBase does not have.
type vectorField struct{ core.JSONField }

func (*vectorField) Type() string       { return "embedding" }
func (*vectorField) TypeScript() string { return "number[]" }

type strangeField struct{ core.JSONField }

func (*strangeField) Type() string { return "strange" }

// addCollections makes one with every type of field, one that points to it, an auth
// collection and a view.
func addCollections(t *testing.T, app core.App) {
	t.Helper()
	save := func(c *core.Collection) {
		t.Helper()
		if err := app.Save(c); err != nil {
			t.Fatal(err)
		}
	}
	users := core.NewAuthCollection("people")
	users.Fields.Add(&core.TextField{Name: "name"}, &core.FileField{Name: "avatar", MaxSelect: 1})
	save(users)
	all := core.NewBaseCollection("all_types")
	all.Fields.Add(
		&core.TextField{Name: "title", Required: true}, &core.TextField{Name: "slug", Required: true, AutogeneratePattern: "[a-z]{8}"}, &core.EditorField{Name: "body"},
		&core.EmailField{Name: "mail"}, &core.URLField{Name: "link"}, &core.NumberField{Name: "views"}, &core.BoolField{Name: "open"},
		&core.DateField{Name: "due"}, &core.AutodateField{Name: "created", OnCreate: true},
		&core.SelectField{Name: "state", Values: []string{"new", `a "quoted" one`}}, &core.SelectField{Name: "level", Values: []string{"low", "high"}, Required: true},
		&core.SelectField{Name: "tags", Values: []string{"red", "green"}, MaxSelect: 2},
		&core.FileField{Name: "photo", MaxSelect: 1}, &core.FileField{Name: "files", MaxSelect: 9},
		&core.RelationField{Name: "owner", CollectionId: users.Id}, &core.RelationField{Name: "readers", CollectionId: users.Id, MaxSelect: 9},
		&core.JSONField{Name: "meta"}, &core.GeoPointField{Name: "place"}, &core.PasswordField{Name: "pin"}, &core.TextField{Name: "secret", Hidden: true},
	)
	all.AddIndex("idx_owner", true, "owner", "")
	save(all)
	view := core.NewViewCollection("totals")
	view.ViewQuery = "select id, owner, count(*) as n, title from all_types group by owner"
	save(view)
	save(core.NewBaseCollection("C_superusers")) // a name that a system collection would have
}

func newApp(t *testing.T, modules []*hostmodule.Module) (*pocketbase.PocketBase, *agentrt.Engine) {
	t.Helper()
	dir := t.TempDir()
	app := pocketbase.NewWithConfig(pocketbase.Config{DefaultDataDir: filepath.Join(dir, "pb_data"), HideStartBanner: true})
	engine, err := agentrt.Register(app, agentrt.Config{FunctionsDir: filepath.Join(dir, "pb_serverless"), HostModules: modules})
	if err == nil {
		err = app.Bootstrap()
	}
	if err == nil {
		err = app.RunAllMigrations()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := app.ResetBootstrapState(); err != nil {
			t.Error(err)
		}
	})
	return app, engine
}

// use is what the declarations must allow, and, with @ts-expect-error, refuse.
const use = `
export async function GET(req: Request, ctx: RouteContext) {
  const all = pb.collection("all_types");
  const r = await all.getOne("x", { expand: "owner,readers" });
  const title: string = r.title, views: number = r.views, open: boolean = r.open, due: string = r.due, created: string = r.created;
  const state: "new" | 'a "quoted" one' | "" = r.state, level: "low" | "high" = r.level, tags: ("red" | "green")[] = r.tags;
  const photo: string = r.photo, files: string[] = r.files, owner: string = r.owner, readers: string[] = r.readers, lon: number = r.place.lon;
  const name: string | undefined = r.expand?.owner?.name, first = r.expand?.readers?.[0]?.email;
  const back: All_typesCheck = (await pb.collection("people").getOne("x")).expand?.all_types_via_owner;
  const list = (await pb.collection("people").getOne("x")).expand?.all_types_via_readers?.map((a) => a.title);
  const secret: string | undefined = r.secret;
  r.meta.anything; r.collectionName satisfies "all_types";
  // @ts-expect-error no such field
  r.nothing;
  // @ts-expect-error a password is not readable
  r.pin;
  // @ts-expect-error hidden fields may be absent
  const hidden: string = r.secret;
  // @ts-expect-error not one of the values
  if (r.state === "old") return;
  // @ts-expect-error a number
  const wrong: string = r.views;

  await all.create({ title: "t", level: "low", due: new Date(), photo: new File([], "p"), files: [new Blob()], readers: "x", pin: "1", place: { lon: 1, lat: 2 } });
  await all.create(new FormData());
  // @ts-expect-error level is required
  await all.create({ title: "t" });
  // @ts-expect-error an unknown field
  await all.create({ title: "t", level: "low", titel: "t" });
  // @ts-expect-error not one of the values
  await all.create({ title: "t", level: "middle" });
  // @ts-expect-error set by the server
  await all.create({ title: "t", level: "low", created: "" });
  await all.update("x", { "views+": 1, "tags-": "red", "+files": new File([], "f"), "files-": "f.txt", photo: null, "readers+": ["a"] });
  // @ts-expect-error not a list
  await all.update("x", { "title+": "x" });
  await pb.collection("people").create({ email: "a@example.com", password: "12345678", passwordConfirm: "12345678" });
  // @ts-expect-error the password is required
  await pb.collection("people").create({ email: "a@example.com" });
  await pb.collection("people").update("x", { oldPassword: "1", password: "2", passwordConfirm: "2" });
  const total = await pb.collection("totals").getFirstListItem("n > 1");
  const n: number = total.n;
  // @ts-expect-error views are read-only
  await pb.collection("totals").create({ n: 1 });
  for await (const each of pb.as(ctx.auth).collection("all_types").getFullList({ batch: 10 })) each.title.length;
  const batch = pb.createBatch();
  batch.collection("all_types").create({ title: "t", level: "low" });
  // @ts-expect-error level is required
  batch.collection("all_types").create({ title: "t" });
  batch.collection("all_types").upsert({ id: "x", views: 2 });
  await pb.tx(async (tx) => { const t: string = (await tx.collection("all_types").getOne("x")).title; });

  // Other collections, and types of the caller's own.
  const other = await pb.collection("some_" + "name").getOne("x");
  other.whatever.x;
  const mine = await pb.collection<{ mine: number }>("all_types").getOne("x");
  mine.mine + 1;
  const typed: RecordOf<"people"> = await pb.collection("people").getOne("x");
  await pb.collection("C_superusers").getOne("x") satisfies C_superusersCheck;

  const page = await pb.host.things.list({ created: "", color: "red", data: "", big: "1", sub: { "o-k": true } });
  const next: string | undefined = page.next?.items[0]?.color;
  const size: number = pb.host.things.size(new Uint8Array(3)), nothing: void = pb.host.things.reset();
  const body: ArrayBuffer = (await pb.host.things.both({ created: "", color: "red", data: "", big: "1", sub: { "o-k": true } }, new ArrayBuffer(1))).body;
  await pb.host.things.list();
  // @ts-expect-error a member is missing
  await pb.host.things.list({ color: "red" });
  // @ts-expect-error not a field of JSON
  page.items[0]!.Hidden;
  // @ts-expect-error no such function
  pb.host.things.other();
  return Response.json({ title, views, open, due, created, state, level, tags, photo, files, owner, readers, lon, name, first, back, list, secret, wrong, hidden, n, typed, next, size, nothing, body });
}
type All_typesCheck = RecordOf<"all_types"> | undefined;
type C_superusersCheck = { id: string; collectionName: "C_superusers" };
pb.onRecordBeforeCreate("all_types", (e) => { e.record.title = e.record.title.trim(); });
pb.onRecordAfterUpdate("people", (e) => { e.original.name === e.record.name; });
pb.onRecordBeforeCreate("people", (e) => { e.record.password = "x"; });
// @ts-expect-error no such field
pb.onRecordBeforeCreate("all_types", (e) => { e.record.nothing; });
pb.onRecordBeforeCreate(["all_types", "people"], (e) => { e.record.whatever; });
pb.onRecordBeforeCreate("*", (e) => { e.record.whatever; });
`

func TestDeclarationsCompile(t *testing.T) {
	app, engine := newApp(t, modules())
	addCollections(t, app)
	project := npmtest.Install(t, "../../internal/typecheck")
	dir := filepath.Join(project, "types")
	if err := engine.WriteTypes(dir); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"use.ts": use,
		"tsconfig.json": `{ "compilerOptions": { "target": "es2023", "lib": ["es2023"], "module": "esnext",
			"moduleResolution": "bundler", "types": [], "strict": true, "noUncheckedIndexedAccess": true, "noEmit": true, "skipLibCheck": false }, "include": ["types", "use.ts"] }`,
	} {
		if err := os.WriteFile(filepath.Join(project, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("npx", "tsc", "-p", ".")
	cmd.Dir = project
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestUnknownFieldTypes(t *testing.T) {
	c := core.NewBaseCollection("docs")
	c.Fields.Add(&vectorField{core.JSONField{Name: "embedding"}}, &strangeField{core.JSONField{Name: "odd", Required: true}}, &vectorfield.Field{Name: "nearby", Dimensions: 3})
	text := types.Collections([]*core.Collection{c})
	for _, want := range []string{"  embedding: number[];", "  /** Of the field type strange. */\n  odd: any;", "  odd: any;\n  nearby?: number[] | null;\n}\n\ninterface DocsUpdate", "  embedding?: number[];", "  nearby?: number[] | null;"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestNamesDoNotCollide(t *testing.T) {
	var all []*core.Collection
	for _, name := range []string{"user_groups", "userGroups", "UserGroups", "_123", "_superusers"} {
		all = append(all, core.NewBaseCollection(name))
	}
	text := types.Collections(all)
	for _, want := range []string{"UserGroups: { record: UserGroupsRecord", "userGroups: { record: UserGroups2Record", "user_groups: { record: UserGroups3Record", "_123: { record: C123Record", "_superusers: { record: SuperusersRecord"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "types")
	if err := types.Write(dir, nil, modules()); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	for _, name := range []string{"global.d.ts", "pocketbase.d.ts", "collections.d.ts", "host.d.ts"} {
		if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
			t.Error(err)
		}
	}
	if err := types.Write(dir, []*core.Collection{core.NewBaseCollection("a")}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "host.d.ts")); !os.IsNotExist(err) {
		t.Errorf("host.d.ts of modules that are gone: %v", err)
	}
	for name, written := range map[string]bool{"global.d.ts": false, "collections.d.ts": true} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.ModTime().After(old.Add(time.Minute)) != written {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}
