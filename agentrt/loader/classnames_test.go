package loader_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/agentrt/agentrt/agentrt/loader"
)

// Classes that esbuild has to rename keep the name that they have in the source.
func TestClassNames(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "src", "lib", "other.ts"), `
export class Plain extends Error {}
export class Base { static other = Base; }
export const Named = class Named2 extends Error {};`)
	write(t, filepath.Join(dir, "src", "routes", "a.ts"), `
import { Base as OtherBase, Named, Plain as Other } from "../lib/other.ts";
export class Base { static make() { return new Base(); } }
export class Child extends Base { static again = () => new Child(); }
export class Plain extends Base {}
export var Model = class Model extends Plain {};
export const odd = "ü", Mine = class _Mine extends Base {};
export const GET = () => [Base.make(), Child.again(), new Plain(), new Other(), new Model(), new Named(), new Mine(), OtherBase, odd].map((o) => o.constructor.name);`)
	bundle, err := loader.Load(t.Context(), dir, loader.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range regexp.MustCompile(`this\.name === "(\w+)"\) Object\.defineProperty\(this, "name", \{ value: "(\w+)"`).FindAllSubmatch(bundle.Code, -1) {
		got = append(got, string(m[1])+"="+string(m[2]))
	}
	slices.Sort(got)
	if want := []string{"Model2=Model", "Plain2=Plain", "_Base=Base", "_Base=Base", "_Child=Child"}; !slices.Equal(got, want) {
		t.Errorf("renamed classes: %q, want %q in\n%s", got, want, bundle.Code)
	}
	if err := bundle.SourceMap.Prepare(); err != nil {
		t.Error(err)
	}
}
