package agentrt_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// fileCollections makes "docs" with a field for one file, "media" with two fields,
// and a record "doc000000000001" and "med000000000001".
func (a *app) fileCollections() {
	a.t.Helper()
	must := func(err error) {
		a.t.Helper()
		if err != nil {
			a.t.Fatal(err)
		}
	}
	docs := core.NewBaseCollection("docs")
	docs.Fields.Add(&core.FileField{Name: "file", MaxSize: 1 << 30, MaxSelect: 1}, &core.TextField{Name: "title"})
	media := core.NewBaseCollection("media")
	media.Fields.Add(&core.FileField{Name: "images", MaxSelect: 3, MaxSize: 100, MimeTypes: []string{"text/plain"}}, &core.FileField{Name: "cover", MaxSize: 100})
	plain := core.NewBaseCollection("plain")
	for _, c := range []*core.Collection{docs, media, plain} {
		must(a.Save(c))
		r := core.NewRecord(c)
		r.Id = c.Name[:3] + "000000000001"
		must(a.Save(r))
	}
}

func TestDataFiles(t *testing.T) {
	list := []scenario{
		{"save, list, read, stream, delete", `
			const name = await pb.files.save("docs", "doc000000000001", { filename: "note.txt", data: new TextEncoder().encode("grüße") });
			const record = { id: "doc000000000001" };
			const stream = await pb.files.stream("docs", record, name);
			return [/^note_\w{10}\.txt$/.test(name), await pb.files.list("docs", record).then((l) => l.map((f) => [f.field, f.filename === name, f.size, f.type])),
				new TextDecoder().decode(await pb.files.read("docs", record, name)), stream instanceof ReadableStream, await new Response(stream).text(),
				await pb.files.delete("docs", record, name), await pb.files.list("docs", record), (await failure(() => pb.files.read("docs", record, name))).replace(name, "NAME")];`,
			`[true,[["file",true,7,"text/plain; charset=utf-8"]],"grüße",true,"grüße",null,[],"ClientResponseError 404 | ERR_FILE_NOT_FOUND | 404 | pb.files: the record \"doc000000000001\" of docs has no file \"NAME\""]`},
		{"kinds of data", `
			const got = [];
			for (const data of [new Blob(["blob"]), new TextEncoder().encode("xview").subarray(1), new TextEncoder().encode("buffer").buffer as ArrayBuffer]) {
				const name = await pb.files.save("docs", "doc000000000001", { filename: "a.txt", data, field: "file" });
				got.push(await new Response(await pb.files.read("docs", "doc000000000001", name)).text());
			}
			return [got, (await pb.files.list("docs", "doc000000000001")).length, await failure(() => pb.files.save("docs", "doc000000000001", { filename: "a", data: "text" as any }))];`,
			`[["blob","view","buffer"],1,"TypeError | pb.files.save(): data is an ArrayBuffer, a view of one, or a Blob"]`},
		{"several files", `
			const save = (n: string, field = "images") => pb.files.save("media", "med000000000001", { filename: n, data: new Blob(["text of " + n]), field });
			const [a, b] = [await save("a.txt"), await save("b.txt")]; await save("cover.txt", "cover");
			await pb.files.delete("media", "med000000000001", a);
			return [(await pb.files.list("media", "med000000000001")).map((f) => f.field), await new Response(await pb.files.read("media", "med000000000001", b)).text()];`,
			`[["images","cover"],"text of b.txt"]`},
		{"limits of the field", `
			const e: any[] = [];
			for (const data of [new Blob(["x".repeat(101)]), new Blob([new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10])])]) {
				try { await pb.files.save("media", "med000000000001", { filename: "a.txt", data, field: "images" }); } catch (error: any) { e.push(error.name, error.status, error.response.status, Object.keys(error.response.data), error.response.data.images?.code, error instanceof pb.ClientResponseError); }
			}
			await pb.files.save("media", "med000000000001", { filename: "c.txt", data: new Blob(["c"]), field: "images" });
			await pb.files.save("media", "med000000000001", { filename: "d.txt", data: new Blob(["d"]), field: "images" });
			try { await pb.files.save("media", "med000000000001", { filename: "e.txt", data: new Blob(["e"]), field: "images" }); } catch (error: any) { e.push(error.response.data.images.code); }
			return e;`,
			`["ClientResponseError 400",400,400,["images"],"validation_file_size_limit",true,"ClientResponseError 400",400,400,["images"],"validation_invalid_mime_type",true,"validation_too_many_files"]`},
		{"unknown things", `return [
				await failure(() => pb.files.list("nothing", "x")), await failure(() => pb.files.list("docs", "x")), await failure(() => pb.files.stream("docs", "doc000000000001", "none.txt")),
				await failure(() => pb.files.delete("docs", "doc000000000001", "none.txt")),
				await failure(() => pb.files.save("docs", "doc000000000001", { filename: "a.txt", data: new Blob(["x"]), field: "title" })),
				await failure(() => pb.files.save("media", "med000000000001", { filename: "a.txt", data: new Blob(["x"]) })),
				await failure(() => pb.files.save("plain", "pla000000000001", { filename: "a.txt", data: new Blob(["x"]) })),
				await failure(() => pb.files.save("docs", "doc000000000001", { filename: "a.txt", data: new Blob([]) })),
				await failure(() => pb.files.read("docs", "", "a")), await failure(() => pb.files.read("docs", null as any, "a"))];`,
			`["ClientResponseError 404 | ERR_COLLECTION_NOT_FOUND | 404 | pb.files: there is no collection \"nothing\"","ClientResponseError 404 | ERR_RECORD_NOT_FOUND | 404 | pb.files: docs has no record \"x\"",` +
				`"ClientResponseError 404 | ERR_FILE_NOT_FOUND | 404 | pb.files: the record \"doc000000000001\" of docs has no file \"none.txt\"","ClientResponseError 404 | ERR_FILE_NOT_FOUND | 404 | pb.files: the record \"doc000000000001\" of docs has no file \"none.txt\"",` +
				`"ClientResponseError 400 | ERR_FIELD_NOT_FOUND | 400 | pb.files: docs has no file field \"title\" (file fields: file)","ClientResponseError 400 | ERR_FIELD_NOT_FOUND | 400 | pb.files: media has several file fields: name one of images, cover as field",` +
				`"ClientResponseError 400 | ERR_FIELD_NOT_FOUND | 400 | pb.files: plain has no file field","ClientResponseError 400 | ERR_FILE_SIZE | 400 | pb.files: a file has 1 to 67108864 bytes, not 0",` +
				`"TypeError | pb.files: the record, or its id, is a text that is not empty","TypeError | pb.files: the record, or its id, is a text that is not empty"]`},
		{"transactions", `
			const doc = ["docs", "doc000000000001"] as const, files = async () => Promise.all((await pb.files.list(...doc)).map(async (f) => new Response(await pb.files.read(...doc, f.filename)).text()));
			await pb.files.save(...doc, { filename: "kept.txt", data: new Blob(["kept"]) });
			await failure(() => pb.tx(async (tx) => { await tx.files.save(...doc, { filename: "new.txt", data: new Blob(["new"]) }); throw new Error("no"); }));
			const rolledBack = await files();
			await pb.tx(async (tx) => { await tx.files.save(...doc, { filename: "new.txt", data: new Blob(["new"]) }); });
			return [rolledBack, await files()];`, `[["kept"],["new"]]`},
		{"paths", `
			const read = [];
			for (const name of ["../../../data.db", "..%2f..%2fdata.db", "/etc/passwd", "..\\..\\data.db", ".", "..", "a\0b"]) {
				read.push((await failure(() => pb.files.read("docs", "doc000000000001", name))).split(" | ")[1]);
				read.push((await failure(() => pb.files.stream("docs", "doc000000000001", name))).split(" | ")[1]);
				read.push((await failure(() => pb.files.delete("docs", "doc000000000001", name))).split(" | ")[1]);
			}
			const saved = [];
			for (const filename of ["../up.txt", "/up.txt", "a\\b.txt", "..", ".", "a\0.txt"]) saved.push((await failure(() => pb.files.save("docs", "doc000000000001", { filename, data: new Blob(["x"]) }))).split(" | ")[1]);
			return [[...new Set(read)], [...new Set(saved)], (await failure(() => pb.files.list("../docs", "x"))).split(" | ")[1], (await failure(() => pb.files.list("docs", "../med000000000001"))).split(" | ")[1]];`,
			`[["ERR_FILE_NOT_FOUND"],["ERR_FILE_NAME"],"ERR_COLLECTION_NOT_FOUND","ERR_RECORD_NOT_FOUND"]`},
	}
	a := runScenarios(t, func(files map[string]string) *app {
		a := newApp(t, files)
		a.fileCollections()
		return a
	}, `{}`, "", list, nil, map[string]string{"routes/big.ts": `export const GET = async (r: Request) => {
		const [{ filename }] = await pb.files.list("docs", "doc000000000001");
		if (new URL(r.url).search === "?read") try { await pb.files.read("docs", "doc000000000001", filename); } catch (e: any) { return new Response(e.code + " " + e.status); }
		const body = await pb.files.stream("docs", "doc000000000001", filename);
		return new Response(new URL(r.url).search === "?js" ? body.pipeThrough(new TransformStream()) : body);
	};`})

	record, err := a.FindRecordById("docs", "doc000000000001")
	if err != nil {
		t.Fatal(err)
	}
	data := bytes.Repeat([]byte("0123456789abcdef"), 65<<20/16)
	file, err := filesystem.NewFileFromBytes(data, "big.bin")
	if err != nil {
		t.Fatal(err)
	}
	record.Set("file", file)
	if err := a.Save(record); err != nil {
		t.Fatal(err)
	}
	if got := a.get("/big?read").body; got != "ERR_FILE_SIZE 400" {
		t.Errorf("reading 65 MiB: %s", got)
	}
	for _, path := range []string{"/big", "/big?js"} {
		if got := a.get(path).body; got != string(data) {
			t.Errorf("%s: %d bytes that differ from the file's %d", path, len(got), len(data))
		}
	}
	// What the record lists may be missing in the storage.
	if err := os.Remove(filepath.Join(a.DataDir(), "storage", record.BaseFilesPath(), record.GetString("file"))); err != nil {
		t.Fatal(err)
	}
	if got := a.get("/big").body; !strings.Contains(got, "failed") {
		t.Errorf("an empty list: %s", got)
	}
}

func TestDataFilesAtTopLevel(t *testing.T) {
	a := newApp(t, map[string]string{"routes/f.ts": `
		let error = "none";
		try { await pb.files.read("docs", "x", "y"); } catch (e: any) { error = e.code; }
		export const GET = () => new Response(error);`})
	if got := a.get("/f").body; got != "ERR_TOP_LEVEL_IO" {
		t.Errorf("got %q", got)
	}
}
