package modelserver

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func generate(t testing.TB, schema, text string) (string, error) {
	t.Helper()
	s, err := parseSchema([]byte(schema), "schema")
	if err != nil {
		return "", err
	}
	g := generator{root: s, hints: newHints(text), answer: "the answer"}
	return g.document()
}

func TestGeneratedValues(t *testing.T) {
	cases := []struct{ name, schema, text, want string }{
		{"order of properties", `{"type":"object","properties":{"z":{"type":"string"},"a":{"type":"integer"}}}`, "", `{"z":"sample z","a":1}`},
		{"number in range", `{"type":"integer","minimum":10,"maximum":20}`, "take 5 or 15 or 30", `15`},
		{"least in range", `{"type":"number","minimum":2.5}`, "", `2.5`},
		{"exclusive bounds", `{"type":"integer","exclusiveMinimum":3,"exclusiveMaximum":5}`, "", `4`},
		{"narrow range", `{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1}`, "", `0.25`},
		{"only an upper bound", `{"type":"integer","maximum":-7}`, "", `-7`},
		{"multiple", `{"type":"integer","minimum":10,"multipleOf":7}`, "", `14`},
		{"fraction of an integer", `{"type":"integer","multipleOf":1.5}`, "", `3`},
		{"no integer from a fraction", `{"type":"integer"}`, "about 2.5", `1`},
		{"enum found", `{"enum":["red","dark_green",3,null]}`, "make it dark green", `"dark_green"`},
		{"enum number", `{"enum":[1,2,3]}`, "take 2", `2`},
		{"enum first", `{"enum":["red","green"]}`, "colour", `"red"`},
		{"const", `{"const":{"a":[1]}}`, "", `{"a":[1]}`},
		{"const null", `{"const":null}`, "", `null`},
		{"boolean", `{"type":"object","properties":{"urgent":{"type":"boolean"},"dryRun":{"type":"boolean"}}}`, "not urgent, dry run", `{"urgent":false,"dryRun":true}`},
		{"null", `{"type":"null"}`, "", `null`},
		{"type list", `{"type":["null","integer"]}`, "7", `7`},
		{"nullable", `{"type":"STRING","nullable":true}`, `say "x"`, `"x"`},
		{"boolean schema", `true`, "", `"sample"`},
		{"denial of another", `{"type":"object","properties":{"a":{"type":"boolean"}}}`, "without a, thanks", `{"a":false}`},
		{"empty schema", `{}`, "", `"sample"`},
		{"named values", `{"type":"object","properties":{"to":{"type":"string"},"from":{"type":"string"},"maxPrice":{"type":"number"}}}`, "from Paris to New York, max price: 99.5", `{"to":"New York","from":"Paris","maxPrice":99.5}`},
		{"answer", `{"type":"object","properties":{"answer":{"type":"string"},"id":{"type":"string"}}}`, "", `{"answer":"the answer","id":"sample id"}`},
		{"strings of the text", `{"type":"array","items":{"type":"string"}}`, `"one" and "two"`, `["one","two"]`},
		{"numbers of the text", `{"type":"array","items":{"type":"number"},"maxItems":2}`, "1, 2.5, 3", `[1,2.5]`},
		{"minItems", `{"type":"array","items":{"type":"object","properties":{"n":{"type":"integer"}}},"minItems":2}`, "", `[{"n":1},{"n":2}]`},
		{"maxItems 0", `{"type":"array","items":{"type":"string"},"maxItems":0}`, "", `[]`},
		{"uniqueItems", `{"type":"array","items":{"enum":["a","b","c"]},"minItems":3,"uniqueItems":true}`, "c", `["c","b","a"]`},
		{"tuple", `{"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":false}`, "", `[1,"sample 2"]`},
		{"anyOf", `{"anyOf":[{"type":"null"},{"type":"integer"}]}`, "", `1`},
		{"anyOf by constant", `{"anyOf":[{"type":"object","properties":{"kind":{"const":"circle"},"r":{"type":"number"}},"required":["kind","r"]},{"type":"object","properties":{"kind":{"const":"square"},"side":{"type":"number"}},"required":["kind","side"]}]}`, "a square of 4", `{"kind":"square","side":4}`},
		{"oneOf", `{"oneOf":[{"type":"boolean"},{"type":"integer"}]}`, "", `true`},
		{"allOf", `{"allOf":[{"type":"object","properties":{"a":{"type":"integer","minimum":2}},"required":["a"]},{"properties":{"b":{"type":"integer"}},"required":["b"]}]}`, "", `{"a":2,"b":1}`},
		{"ref", `{"$defs":{"P":{"type":"object","properties":{"x":{"type":"integer"}}}},"type":"array","items":{"$ref":"#/$defs/P"}}`, "", `[{"x":1}]`},
		{"definitions and escapes", `{"definitions":{"a/b~c":{"const":5}},"properties":{"v":{"$ref":"#/definitions/a~1b~0c"}}}`, "", `{"v":5}`},
		{"ref into properties", `{"properties":{"a":{"const":1},"b":{"$ref":"#/properties/a"}}}`, "", `{"a":1,"b":1}`},
		{"recursion by null", `{"$defs":{"N":{"type":"object","properties":{"next":{"anyOf":[{"$ref":"#/$defs/N"},{"type":"null"}]}},"required":["next"]}},"$ref":"#/$defs/N"}`, "", `{"next":{"next":{"next":{"next":null}}}}`},
		{"recursion by array", `{"type":"object","properties":{"kids":{"type":"array","items":{"$ref":"#"}}},"required":["kids"]}`, "", `{"kids":[{"kids":[{"kids":[{"kids":[]}]}]}]}`},
		{"recursion by option", `{"type":"object","properties":{"kid":{"$ref":"#"}}}`, "", `{"kid":{"kid":{"kid":{"kid":{"kid":{"kid":{}}}}}}}`},
		{"required without a property", `{"type":"object","required":["a"],"additionalProperties":{"type":"integer"}}`, "", `{"a":1}`},
		{"minProperties", `{"type":"object","additionalProperties":{"type":"integer"},"minProperties":2}`, "", `{"key1":1,"key2":1}`},
		{"maxLength", `{"type":"string","maxLength":3}`, "", `"sam"`},
		{"minLength", `{"type":"string","minLength":10}`, "", `"sample sample."`},
		{"pattern found", `{"type":"string","pattern":"^[A-Z]{2}\\d{2}$"}`, `code "XY42"`, `"XY42"`},
		{"pattern made", `{"type":"string","pattern":"^[A-Z]{3}-\\d{2}(x|y)?$"}`, "", `"AAA-00"`},
		{"date found", `{"type":"string","format":"date"}`, "on 2027-03-04 we", `"2027-03-04"`},
		{"mail made", `{"type":"string","format":"email"}`, "", `"user0@example.com"`},
		{"strings of numbers", `{"type":"string","minLength":"2"}`, "", `"sample"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for range 2 {
				got, err := generate(t, c.schema, c.text)
				if err != nil || got != c.want {
					t.Fatalf("got %s %v, want %s", got, err, c.want)
				}
			}
		})
	}
}

func TestSchemasThatHaveNoValue(t *testing.T) {
	cases := []struct{ schema, says string }{
		{`{"type":"object","properties":{"a":{"$ref":"#/$defs/no"}}}`, "leads nowhere"},
		{`{"$ref":"http://elsewhere/"}`, "leads nowhere"},
		{`{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}`, "references"},
		{`{"type":"object","properties":{"self":{"$ref":"#"}},"required":["self"]}`, "nested deeper"},
		{`{"type":"object","properties":{"a":false},"required":["a"]}`, "false"},
		{`{"type":"array","items":{"type":"integer"},"minItems":100000}`, "minItems"},
		{`{"type":"string","minLength":100000000}`, "minLength"},
		{`{"type":"array","items":{"const":1},"minItems":2,"uniqueItems":true}`, "different"},
		{`{"type":5}`, "string"},
		{`{"properties":[]}`, "object"},
		{`[]`, "schema"},
	}
	for _, c := range cases {
		if got, err := generate(t, c.schema, ""); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %s %v", c.schema, got, err)
		}
	}
}

func TestWideRecursionIsBounded(t *testing.T) {
	var props []string
	for i := range 20 {
		props = append(props, fmt.Sprintf(`"p%d":{"$ref":"#"}`, i))
	}
	got, err := generate(t, `{"type":"object","properties":{`+strings.Join(props, ",")+`}}`, "")
	if err != nil || !json.Valid([]byte(got)) || len(got) > 1<<20 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestPatternsAreMatched(t *testing.T) {
	for _, pattern := range []string{`^[a-f0-9]{8}$`, `^(foo|bar)+\.[^.]+$`, `\w+@\w+\.com`, `^\p{Lu}\S*$`, `^(?:ab?c*){2,5}$`, `^.{12,}$`, `^$`, `[^\x00-\x7f]`} {
		for salt := range 3 {
			for _, least := range []int{0, 9} {
				got, err := matching(pattern, least, salt)
				if err != nil || !regexp.MustCompile(pattern).MatchString(got) {
					t.Errorf("%s, salt %d: %q %v", pattern, salt, got, err)
				}
				if n := utf8.RuneCountInString(got); n < least && strings.ContainsAny(pattern, "+*,") {
					t.Errorf("%s: %q has %d characters, want %d", pattern, got, n, least)
				}
			}
		}
	}
}

func TestFormulas(t *testing.T) {
	deep := strings.Repeat("(", 500) + "1" + strings.Repeat(")", 500)
	for _, text := range []string{"what is love?", "what is 5?", "the year 1999", "call 555-1234 now", "2026-01-08", "what is 2 +?", "what is (2+3?", "what is " + deep + "+1?"} {
		if got, ok := arithmetic(text); ok {
			t.Errorf("%.40s: %.40s", text, got)
		}
	}
	for text, want := range map[string]string{
		"what is 2^3^2?": "2^3^2 = 512", "compute -2^2": "-2^2 = -4", "what's 7 mod 4?": "7 % 4 = 3", "0.1+0.2=": "0.1+0.2 = 0.3",
		"how much is 3 plus 4 times 5?": "3 + 4 * 5 = 23", "what is 6 × 7": "6 * 7 = 42", "what is 10^20?": "10^20 = 1e+20",
	} {
		if got, ok := arithmetic(text); !ok || got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func FuzzGenerate(f *testing.F) {
	f.Add(`{"type":"object","properties":{"a":{"type":"string","pattern":"^a+$"},"b":{"$ref":"#"}}}`, `weather in "Paris" 5`)
	f.Add(`{"anyOf":[{"type":"integer","multipleOf":0.1},{"enum":[1]}]}`, "\xff")
	f.Fuzz(func(t *testing.T, schema, text string) {
		if !json.Valid([]byte(schema)) {
			t.Skip()
		}
		if got, err := generate(t, schema, text); err == nil && !json.Valid([]byte(got)) {
			t.Errorf("%q is no JSON", got)
		}
	})
}
