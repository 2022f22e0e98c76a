package loader

import "regexp"

// selfNamed matches the begin of a class whose body refers to the class itself. esbuild
// writes `class Foo` as `var Foo = class _Foo`, so that its name would be "_Foo".
var selfNamed = regexp.MustCompile(`(?m)^(\s*(?:var )?[\w$]+ = class _([\w$]+)(?: extends [\w$.]+)? \{)$`)

// nameClasses gives such classes the name that they have in the source. Lines stay
// where they are, so the source map stays true.
func nameClasses(code []byte) []byte {
	return selfNamed.ReplaceAll(code, []byte(`$1 static { if (this.name === "_$2") Object.defineProperty(this, "name", { value: "$2", configurable: true }); }`))
}
