package loader_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/agentrt/loader"
)

func TestClassNames(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "src", "routes", "a.ts"), `
export class Base { static make() { return new Base(); } }
export class Child extends Base { static again = () => new Child(); }
export class Plain extends Base {}
export const GET = () => [Base.make(), Child.again(), new Plain()].map((o) => o.constructor.name);`)
	bundle, err := loader.Load(t.Context(), dir, loader.Options{})
	if err != nil {
		t.Fatal(err)
	}
	code := string(bundle.Code)
	for _, name := range []string{"Base", "Child"} {
		if want := `class _` + name; !strings.Contains(code, want) {
			t.Errorf("esbuild no longer writes %q: is nameClasses still needed?", want)
		}
		if want := `{ value: "` + name + `", configurable: true }`; !strings.Contains(code, want) {
			t.Errorf("the class %s has no name of its own:\n%s", name, code)
		}
	}
}
