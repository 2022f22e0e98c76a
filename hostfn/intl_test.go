package hostfn_test

import (
	"encoding/json"
	"os"
	"testing"
)

// TestIntlIsNodes compares with what Node 24 (CLDR 48) gives for the same
// expressions; testdata/intl.json has both.
func TestIntlIsNodes(t *testing.T) {
	text, err := os.ReadFile("testdata/intl.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases [][2]json.RawMessage
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	w := newPlatform(t)
	for _, c := range cases {
		var code string
		if err := json.Unmarshal(c[0], &code); err != nil {
			t.Fatal(err)
		}
		w.expect(code, nil, string(c[1]))
	}
}

// TestIntlRefuses names what the standard has and this does not: it throws.
func TestIntlRefuses(t *testing.T) {
	w := newPlatform(t)
	w.run(`(() => { globalThis.refused = (...fs) => fs.map((f) => { try { f(); return "accepted" } catch (e) { return e.name + ": " + e.message } }) })()`, nil)
	for _, c := range []struct{ code, want string }{
		{`refused(() => new Intl.DateTimeFormat("de"), () => new Intl.NumberFormat("ar"), () => new Intl.RelativeTimeFormat("fr"), () => new Intl.ListFormat("ja"))`,
			`["TypeError: Intl.DateTimeFormat has no data for de: agentrt has en, en-US and en-GB; for dates as numbers, format with \"en\" and formatToParts()","TypeError: Intl.NumberFormat has no data for ar: agentrt has en, de, fr, es, it, pt, nl, sv, da, nb, fi, pl, cs, ja, ko, zh","TypeError: Intl.RelativeTimeFormat has no data for fr: agentrt has en","TypeError: Intl.ListFormat has no data for ja: agentrt has en, en-GB, de, fr, nl, pt, sv, da"]`},
		{`refused(() => new Intl.NumberFormat("en", { style: "unit", unit: "meter" }), () => new Intl.NumberFormat("de", { notation: "compact" }), () => new Intl.NumberFormat("en", { notation: "scientific" }), () => new Intl.NumberFormat("en", { numberingSystem: "arab" }), () => new Intl.NumberFormat("en", { roundingMode: "floor" })).every((m) => m.startsWith("TypeError: Intl.NumberFormat has no "))`, `true`},
		{`refused(() => new Intl.DateTimeFormat("en", { calendar: "islamic" }), () => new Intl.DateTimeFormat("en-AU"), () => new Intl.DateTimeFormat("en", { era: "short" }), () => new Intl.DateTimeFormat("en", { timeZone: "Europe/Berlin", timeZoneName: "long" }).format(0), () => new Date(0).toLocaleString("ja-JP")).every((m) => m.startsWith("TypeError: Intl.DateTimeFormat has no "))`, `true`},
		{`refused(() => new Intl.Collator("en", { usage: "search" }), () => new Intl.Collator("de", { collation: "phonebk" }), () => new Intl.Collator("en", { caseFirst: "upper" })).every((m) => m.startsWith("TypeError: Intl.Collator has no "))`, `true`},
		{`[typeof Intl.Segmenter, typeof Intl.DurationFormat, typeof Intl.supportedValuesOf, typeof Intl.NumberFormat.prototype.formatRange]`, `["undefined","undefined","undefined","undefined"]`},
		{`[new Intl.NumberFormat(["ar", "de"]).resolvedOptions().locale, Intl.NumberFormat.supportedLocalesOf(["ar", "de-DE"]), Intl.DateTimeFormat.supportedLocalesOf(["de", "en-GB", "en-AU"]), Intl.PluralRules.supportedLocalesOf(["de", "tlh"])]`, `["de",["de-DE"],["en-GB"],["de"]]`},
	} {
		w.expect(c.code, nil, c.want)
	}
}
