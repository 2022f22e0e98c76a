package polyfill_test

import (
	"testing"

	"github.com/agentrt/agentrt/internal/jstest"
)

func TestUTF8(t *testing.T) {
	jstest.Run(t, jstest.Env{Ops: platformOps(), Setup: `
		import { encodeUtf8, decodeUtf8, decodeUtf8Text, utf8Length } from "./polyfill/utf8.ts";
		import { TextDecoder } from "./polyfill/encoding.ts";
		const hex = (s) => encodeUtf8(s).toHex(), text = (h) => decodeUtf8(Uint8Array.fromHex(h));
		const long = "x".repeat(100);
	`}, []jstest.Case{
		{`hex("aé€😀\ud800b\udc00")`, `"61c3a9e282acf09f9880efbfbd62efbfbd"`},
		{`hex(long + "aé€😀\ud800b\udc00").slice(200)`, `"61c3a9e282acf09f9880efbfbd62efbfbd"`},
		{`[utf8Length("aé€😀"), utf8Length("\ud800"), utf8Length("\udc00\ud800x")]`, `[10,3,7]`},
		{`text("61c3a9e282acf09f9880efbbbf00")`, `"aé€😀\ufeff\u0000"`},
		{`text("78".repeat(100) + "61c3a9e282acf09f9880efbbbf00").slice(100)`, `"aé€😀\ufeff\u0000"`},
		{`["c0af", "eda080", "f0808080", "f4908080", "e282", "e28261", "f09f98", "80", "c3", "ff41", "f1808041", "fe"].map(text)`, `["��","���","����","����","�","�a","�","�","�","�A","�A","�"]`},
		{`["c0af", "eda080", "e28261", "f09f98"].map((h) => text("78".repeat(100) + h).slice(100))`, `["��","���","�a","�"]`},
		{`["f0908041", "e18080e2f09192", "efbbbff09f", "efbfbdc3", "f48fbfbff1bfbf", "e0a0", "ed9fbf", "f09080"].map((h) => text(h) === new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.fromHex(h)) && encodeUtf8(text(h)).toHex())`, `["efbfbd41","e18080efbfbdefbfbd","efbbbfefbfbd","efbfbdefbfbd","f48fbfbfefbfbd","efbfbd","ed9fbf","efbfbd"]`},
		{`decodeUtf8Text(Uint8Array.fromHex("efbbbfefbbbf61"))`, `"\ufeffa"`},
		{`(() => { const s = "äöü😀z".repeat(5000); return decodeUtf8(encodeUtf8(s)) === s && utf8Length(s) === encodeUtf8(s).length })()`, `true`},
	})
}
