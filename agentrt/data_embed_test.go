package agentrt_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/compat/modelserver"
	"github.com/agentrt/agentrt/vector/embed"
	"github.com/agentrt/agentrt/vector/embed/hashing"
)

func TestDataEmbed(t *testing.T) {
	want := fmt.Sprintf("%.4f", hashing.New(8).Embed("the cat sat")[0])
	_, useModel := newModel(t, modelserver.Config{APIKey: "test"})
	runScenarios(t, func(files map[string]string) *app { return newApp(t, files, useModel) }, `{}`, "", []scenario{
		{"a text", `const v = await pb.embed("the cat sat", { model: "hashing/8" }); return [Array.isArray(v), v.length, v[0]!.toFixed(4)];`, `[true,8,"` + want + `"]`},
		{"texts", `const v = await pb.embed(["the cat sat", "grüße \u{1f600}", "the cat sat"], { model: "hashing", dimensions: 8 });
			return [v.length, v[0]![0]!.toFixed(4), JSON.stringify(v[0]) === JSON.stringify(v[2]), JSON.stringify(v[0]) === JSON.stringify(v[1])];`, `[3,"` + want + `",true,false]`},
		{"in the context", `const v = await ctx.embed("the cat sat", { model: "hashing/8" }); return [v.length, v[0]!.toFixed(4)];`, `[8,"` + want + `"]`},
		{"through a server", `return [(await pb.embed("a")).length, (await pb.embed("a", { model: "openai/text-embedding-3-small", dimensions: 100 })).length];`, `[256,100]`},
		{"in a transaction", `return await pb.tx(async (tx) => { await tx.kv.set("k", 1); return (await tx.embed("b")).length; });`, `256`},
		{"no texts", `return await pb.embed([]);`, `[]`},
		{"errors", `return [await failure(() => pb.embed(5 as any)), await failure(() => pb.embed(["a", null] as any)), await failure(() => pb.embed("a", { model: 1 } as any)), await failure(() => pb.embed("a", { dimensions: 0.5 })),
			await failure(() => pb.embed("a", { model: "nonsense" })), await failure(() => pb.embed("")), await failure(() => pb.embed("a", { dimensions: -1 })),
			await failure(() => pb.embed("a", { model: "acme/m" })), await failure(() => pb.embed("a", { model: "hashing/8", dimensions: 9 }))];`,
			`["TypeError | pb.embed() takes a text or an array of texts, not number","TypeError | pb.embed(): texts[1] is a object, not a string",` +
				`"TypeError | pb.embed(): model is a name such as \"openai/text-embedding-3-small\"","TypeError | pb.embed(): dimensions is a whole number, not 0.5",` +
				`"Error | ERR_EMBED_MODEL | 400 | pb.embed: unknown embedding model (nonsense): a name is provider/model: write for example \"openai/text-embedding-3-small\", \"ollama/nomic-embed-text\" or \"hashing\"",` +
				`"Error | ERR_EMBED_INPUT | 400 | pb.embed: cannot embed (openai/text-embedding-3-small): text 0 is empty: leave it out: an empty text has no vector",` +
				`"Error | ERR_EMBED_INPUT | 400 | pb.embed: cannot embed (openai/text-embedding-3-small): -1 dimensions: ask for 1 to 16000, or leave the number out",` +
				`"Error | ERR_EMBED_MODEL | 400 | pb.embed: unknown embedding model (acme/m): there is no provider \"acme\": set ACME_BASE_URL to its address, or use one of: ollama, openai, hashing",` +
				`"Error | ERR_EMBED_DIMENSION | 400 | pb.embed: wrong number of dimensions (hashing/8): its vectors have 8 dimensions, 9 are wanted: use the model \"hashing\", which has any length, or a field of that dimension"]`},
		{"a private server", `return [await failure(() => pb.embed("a", { model: "ollama/m" }))];`,
			`["Error | ERR_EGRESS_DENIED | 502 | pb.embed: the embedding provider is out of reach (ollama/m): egress denied: 127.0.0.1 is the loopback address 127.0.0.1; allow it with --allow-net 127.0.0.1:11434: a model server in a private network must be allowed when the server is started"]`},
		{"chunks", `
			const source = "# Café \u{1f600}\n\nFirst sentence is here. Second sentence is there, and it is long enough. Third one.\n\n## Ünder\n\nText of the section.\n";
			const chunks = pb.utils.chunk(source, { size: 20, overlap: 0, format: "markdown" });
			return [chunks.every((c) => c.text === source.slice(c.start, c.end) && c.tokens <= 20), chunks.map((c) => [c.headings, c.text.slice(0, 9)])];`,
			`[true,[[["Café 😀"],"# Café 😀"],[["Café 😀"],"Second se"],[["Café 😀","Ünder"],"## Ünder\n"]]]`},
		{"chunks of defaults", `const c = pb.utils.chunk("word ".repeat(1000)); return [c.length, c[0]!.tokens <= 400, c[1]!.start < c[0]!.end, c[0]!.headings, pb.utils.chunk(" ")];`, `[3,true,true,[],[]]`},
		{"errors of chunks", `return [await failure(() => pb.utils.chunk(null as any)), await failure(() => pb.utils.chunk("a", { size: 0 })), await failure(() => pb.utils.chunk("a", { size: 5 })),
			await failure(() => pb.utils.chunk("a", { overlap: 300 })), await failure(() => pb.utils.chunk("a", { format: "html" } as any))];`,
			`["TypeError | pb.utils.chunk() takes a text, not null","RangeError | pb.utils.chunk(): size is a number of tokens, not 0",` +
				`"RangeError | ERR_CHUNK | pb.utils.chunk: cannot cut the text: the size is 5 tokens, want 16 to 8192",` +
				`"RangeError | ERR_CHUNK | pb.utils.chunk: cannot cut the text: the overlap is 300 tokens, want at most half of the size, 200",` +
				`"RangeError | ERR_CHUNK | pb.utils.chunk: cannot cut the text: the format is \"html\", want text or markdown"]`},
	}, nil)
}

// TestDataEmbedUsage embeds with the key of a secret, and keeps it to itself.
func TestDataEmbedUsage(t *testing.T) {
	const key = "sk-of-the-embedding-provider"
	model, useModel := newModel(t, modelserver.Config{APIKey: key})
	a := newApp(t, map[string]string{
		"routes/e.ts": `export const config = { secrets: [] };
			export const GET = async (req: Request) => {
				try { return Response.json((await pb.embed(["a", "b"])).length); } catch (e: any) { console.error(e); return Response.json(e.code + " " + e.message); }
			};`,
		"routes/top.ts": `let error = "none"; try { await pb.embed("a"); } catch (e: any) { error = e.code; } export const GET = () => new Response(error);`,
	}, useModel, func(c *agentrt.Config) {
		c.SecretsKey = "a passphrase for the test"
		c.Embed = embed.Config{Providers: map[string]embed.ProviderConfig{"openai": {Key: "EMBED_KEY"}}}
	})
	logs := a.logs()
	if got := a.get("/e").body; !strings.Contains(got, `ERR_EMBED_KEY pb.embed: no valid key`) || !strings.Contains(got, "set EMBED_KEY") {
		t.Errorf("without a key: %s", got)
	}
	admin := a.superuser()
	put := func(value string) {
		t.Helper()
		if r := a.do(http.MethodPut, "/../agentrt/secrets/EMBED_KEY", `{"value":"`+value+`"}`, "Authorization", admin, "Content-Type", "application/json"); r.status/100 != 2 {
			t.Fatalf("setting the secret: %d %s", r.status, r.body)
		}
	}
	put("sk-wrong-key-of-the-provider")
	if got := a.get("/e").body; !strings.Contains(got, `ERR_EMBED_KEY`) || !strings.Contains(got, "replace the key in EMBED_KEY") {
		t.Errorf("with a wrong key: %s", got)
	}
	put(key)
	for range 2 {
		if got := a.get("/e").body; got != "2" {
			t.Errorf("got %s", got)
		}
	}
	if got := a.get("/top").body; got != "ERR_TOP_LEVEL_IO" {
		t.Errorf("at the top level: %s", got)
	}
	if n := model.Stats().Requests; n != 2 {
		t.Errorf("%d requests to the provider, want 2", n)
	}
	r := a.get("/../agentrt/embeddings/usage", "Authorization", admin)
	var got struct{ Usage []embed.Usage }
	if err := json.Unmarshal([]byte(r.body), &got); err != nil || len(got.Usage) != 1 {
		t.Fatalf("%d %s: %v", r.status, r.body, err)
	}
	if u := got.Usage[0]; u.Model != "openai/text-embedding-3-small" || u.Requests != 2 || u.Texts != 2 || u.Tokens != 2 || u.Cached != 2 || u.Failures != 1 {
		t.Errorf("usage is %+v", u)
	}
	if r := a.get("/../agentrt/embeddings/usage"); r.status != http.StatusUnauthorized {
		t.Errorf("a guest gets %d", r.status)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.URL+"/api/agentrt/embeddings/usage?days=0", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", admin)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("days=0 gets %d", res.StatusCode)
	}
	if text := logs.String(); strings.Contains(text, "sk-") {
		t.Errorf("the log shows a key: %s", text)
	}
}

// TestTypesMatchUtils compares pocketbase.d.ts with pb.utils.
func TestTypesMatchUtils(t *testing.T) {
	text, err := os.ReadFile("types/pocketbase.d.ts")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "interface PocketBaseUtils {\n")
	body, _, _ := strings.Cut(rest, "\n}")
	var want []string
	for _, m := range regexp.MustCompile(`(?m)^  (\w+)\(`).FindAllStringSubmatch(body, -1) {
		want = append(want, m[1])
	}
	slices.Sort(want)
	a := newApp(t, map[string]string{"routes/n.ts": `export const GET = () => new Response(Object.keys(pb.utils).sort().join());`})
	if got := a.get("/n").body; got != strings.Join(want, ",") {
		t.Errorf("pb.utils has %s, pocketbase.d.ts says %q", got, want)
	}
}
