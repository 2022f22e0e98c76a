package agentrt_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTypesMatchCollections compares pocketbase.d.ts with what pb has.
func TestTypesMatchCollections(t *testing.T) {
	text, err := os.ReadFile("types/pocketbase.d.ts")
	if err != nil {
		t.Fatal(err)
	}
	a := newApp(t, map[string]string{"routes/names.ts": `
		const names = (o: any) => [...new Set([...Object.keys(o), ...Object.getOwnPropertyNames(Object.getPrototypeOf(o))])].filter((n) => n !== "constructor" && !(n in Object.prototype)).sort();
		const batch = pb.createBatch();
		export const GET = () => Response.json({ RecordClient: names(pb.as(null)), RecordService: names(pb.collection("x")), BatchService: names(batch),
			SubBatchService: names(batch.collection("x")), PocketBaseSQL: names(pb.db), PocketBaseClientResponseError: names(new pb.ClientResponseError()) });`})
	var got map[string][]string
	if err := json.Unmarshal([]byte(a.get("/names").body), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 6 {
		t.Fatalf("got %v", got)
	}
	member := regexp.MustCompile(`(?m)^  (?:readonly |get )?(\w+)\??[:(<]`)
	for name, have := range got {
		block := regexp.MustCompile(`(?:interface|declare class) ` + name + `\b[^{]*\{\n`).FindStringIndex(string(text))
		if block == nil {
			t.Errorf("pocketbase.d.ts has no %s", name)
			continue
		}
		body, _, _ := strings.Cut(string(text[block[1]:]), "\n}")
		var declared []string
		for _, m := range member.FindAllStringSubmatch(body, -1) {
			if m[1] != "constructor" {
				declared = append(declared, m[1])
			}
		}
		if name == "PocketBaseClientResponseError" {
			declared = append(declared, "message", "name")
		}
		slices.Sort(declared)
		if declared = slices.Compact(declared); !slices.Equal(have, declared) {
			t.Errorf("%s has %q, pocketbase.d.ts says %q", name, have, declared)
		}
	}
}
