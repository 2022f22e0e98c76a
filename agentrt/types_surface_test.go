package agentrt_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// surface is what one name of the global object has. Kinds of members: "method",
// "get", "getset", "constant".
type surface struct {
	// Kind is "class", "function" or "object".
	Kind   string
	Parent string
	// Own are the statics of a class or the members of an object that has no class.
	Own       map[string]string
	Prototype map[string]string
}

// reflectSurface is JavaScript that describes the globals that are not ECMAScript's
// own, with Intl, which the compiler's own libraries declare.
const reflectSurface = `
	const ecmascript = new Set(("Object Function Error EvalError RangeError ReferenceError SyntaxError TypeError URIError InternalError AggregateError SuppressedError Iterator Array " +
		"parseInt parseFloat isNaN isFinite decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape Infinity NaN undefined eval Number Boolean String Math Reflect " +
		"Symbol DisposableStack AsyncDisposableStack globalThis BigInt Date RegExp JSON Proxy Map Set WeakMap WeakSet ArrayBuffer SharedArrayBuffer Uint8ClampedArray Int8Array Uint8Array " +
		"Intl Int16Array Uint16Array Int32Array Uint32Array BigInt64Array BigUint64Array Float16Array Float32Array Float64Array DataView Promise WeakRef FinalizationRegistry").split(" "));
	const kind = (o, k) => {
		const d = Object.getOwnPropertyDescriptor(o, k);
		if (d.get || d.set) return (d.get ? "get" : "") + (d.set ? "set" : "");
		if (typeof d.value === "function") return "method";
		return d.writable ? "getset" : "constant";
	};
	const members = (o, skip) => Object.fromEntries(Reflect.ownKeys(o).filter((k) => !skip.includes(k) && k !== Symbol.toStringTag).map((k) => [typeof k === "symbol" ? "[" + k.description + "]" : k, kind(o, k)]));
	const isClass = (v) => typeof v === "function" && Object.getOwnPropertyDescriptor(v, "prototype")?.writable === false;
	export const GET = () => Response.json(Object.fromEntries(Object.getOwnPropertyNames(globalThis).filter((n) => !ecmascript.has(n)).map((n) => {
		const v = globalThis[n];
		if (v === globalThis || v === null) return [n, { Kind: "object" }];
		if (isClass(v)) return [n, { Kind: "class", Parent: Object.getPrototypeOf(v).name, Own: members(v, ["length", "name", "prototype"]), Prototype: members(v.prototype, ["constructor"]) }];
		if (typeof v === "function") return [n, { Kind: "function" }];
		const parent = Object.getPrototypeOf(v)?.constructor?.name ?? "";
		return [n, { Kind: "object", Parent: parent === "Object" ? "" : parent, Own: members(v, []) }];
	})));`

// TestTypesAreTheGlobals compares the globals with what the declarations say, both
// ways: names, classes, statics and members, and what kind each is.
func TestTypesAreTheGlobals(t *testing.T) {
	a := newApp(t, map[string]string{"routes/surface.js": reflectSurface})
	var real map[string]surface
	if err := json.Unmarshal([]byte(a.get("/surface").body), &real); err != nil {
		t.Fatal(err)
	}
	d := declarations{globals: map[string]*declaration{}, interfaces: map[string]*declaration{}}
	for _, name := range []string{"global.d.ts", "pocketbase.d.ts"} {
		text, err := os.ReadFile("types/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.read(string(text)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	for name := range real {
		if d.globals[name] == nil {
			t.Errorf("the global %s (%s) is not declared", name, real[name].Kind)
		}
	}
	for name, g := range d.globals {
		r, ok := real[name]
		if !ok && name == "PocketBaseClientResponseError" {
			continue // the type of pb.ClientResponseError
		}
		if !ok {
			t.Errorf("%s is declared but does not exist", name)
			continue
		}
		switch {
		case g.function != (r.Kind == "function"):
			t.Errorf("%s is a %s, which is not what its declaration says", name, r.Kind)
		case r.Kind == "class":
			compareMembers(t, name, r.Own, g.members)
			i := d.interfaces[name]
			if i == nil {
				t.Errorf("the class %s has no interface", name)
				continue
			}
			own, parent := d.flatten(i, real)
			if r.Parent != parent && name != "DOMException" { // whose prototype alone inherits from Error's
				t.Errorf("%s extends %q, its declaration says %q", name, r.Parent, parent)
			}
			for member := range own {
				// A declaration may narrow the type of what the parent has.
				if _, ok := r.Prototype[member]; !ok && parent != "" && d.has(parent, member) {
					delete(own, member)
				}
			}
			compareMembers(t, name+".prototype", r.Prototype, own)
		case r.Kind == "object" && r.Parent == "" && r.Own != nil && name != "pb":
			own := g.members
			if i := d.interfaces[g.typeName]; i != nil {
				own, _ = d.flatten(i, real)
			}
			compareMembers(t, name, r.Own, own)
		case r.Kind == "object" && r.Parent != "" && r.Parent != g.typeName:
			t.Errorf("%s is a %s, its declaration says %s", name, r.Parent, g.typeName)
		}
	}
}

// undeclared are members that exist and are not for users: Node's undocumented
// methods of Buffer, which old packages call, hooks of inspection, and names of
// errors, which Error declares.
var undeclared = regexp.MustCompile(`Error\.prototype\.name$|^Buffer\.prototype\.((utf8|hex|base64|base64url|latin1|ascii|ucs2|utf16le)(Slice|Write)|\[nodejs\.util\.inspect\.custom\])$`)

// instanceMembers are own properties of each object, not of the prototype.
var instanceMembers = map[string]bool{"Event.prototype.isTrusted": true, "ValidationError.prototype.data": true}

func compareMembers(t *testing.T, of string, real, declared map[string]string) {
	t.Helper()
	for name, kind := range real {
		full := of + "." + name
		switch want, ok := declared[name]; {
		case !ok && !undeclared.MatchString(full):
			t.Errorf("%s (%s) is not declared", full, kind)
		case ok && want != kind && !(want == "get" && kind == "getset" && of == "process"):
			t.Errorf("%s is a %s, its declaration says %s", full, kind, want)
		}
	}
	for name := range declared {
		if _, ok := real[name]; !ok && !instanceMembers[of+"."+name] {
			t.Errorf("%s.%s is declared but does not exist", of, name)
		}
	}
}

// declaration is one global or interface of a .d.ts file.
type declaration struct {
	function bool
	typeName string
	extends  []string
	members  map[string]string
}

type declarations struct{ globals, interfaces map[string]*declaration }

func (d *declarations) has(name, member string) bool {
	i := d.interfaces[name]
	return i != nil && (i.members[member] != "" || slices.ContainsFunc(i.extends, func(p string) bool { return d.has(p, member) }))
}

// flatten gives the members of an interface with those of its parents that are no
// classes, and the name of the parent that is one.
func (d *declarations) flatten(i *declaration, real map[string]surface) (members map[string]string, parent string) {
	members = map[string]string{}
	for _, name := range i.extends {
		if real[name].Kind == "class" || d.interfaces[name] == nil {
			parent = name
			continue
		}
		inherited, _ := d.flatten(d.interfaces[name], real)
		for member, kind := range inherited {
			members[member] = kind
		}
	}
	for member, kind := range i.members {
		members[member] = kind
	}
	return members, parent
}

var (
	comments     = regexp.MustCompile(`/\*(?s:.*?)\*/|//[^\n]*`)
	interfaceAt  = regexp.MustCompile(`^interface (\w+)(?:<.*>)?(?: extends (.+))?$`)
	variableAt   = regexp.MustCompile(`^declare (?:var|const) (\w+): ?(.*)$`)
	classAt      = regexp.MustCompile(`^declare class (\w+)(?:<.*>)?(?: extends (\w+))?$`)
	functionAt   = regexp.MustCompile(`^declare function (\w+)`)
	memberAt     = regexp.MustCompile(`^(readonly |get )?(\w+|\[Symbol\.\w+\])(\?)?(<|\(|:)`)
	literalAt    = regexp.MustCompile(`: -?\d+$`)
	typeArgument = regexp.MustCompile(`<[^<>]*>`)
)

// read takes the statements of a .d.ts file apart. It refuses what it does not
// understand, so that nothing escapes the comparison.
func (d *declarations) read(text string) error {
	for _, statement := range split(comments.ReplaceAllString(text, "")) {
		head, body, block := strings.Cut(statement, "{")
		head = strings.TrimSpace(head)
		body = strings.TrimSuffix(strings.TrimSpace(body), "}")
		switch {
		case strings.HasPrefix(statement, "type "):
		case classAt.MatchString(head) && block:
			m := classAt.FindStringSubmatch(head)
			i := &declaration{members: map[string]string{}, extends: strings.Fields(m[2])}
			d.interfaces[m[1]], d.globals[m[1]] = i, &declaration{typeName: m[1], members: map[string]string{}}
			if err := readMembers(body, i.members); err != nil {
				return fmt.Errorf("class %s: %w", m[1], err)
			}
		case functionAt.MatchString(statement):
			d.globals[functionAt.FindStringSubmatch(statement)[1]] = &declaration{function: true}
		case interfaceAt.MatchString(head) && block:
			m := interfaceAt.FindStringSubmatch(head)
			i := d.interfaces[m[1]]
			if i == nil {
				i = &declaration{members: map[string]string{}}
				d.interfaces[m[1]] = i
			}
			for typeArgument.MatchString(m[2]) {
				m[2] = typeArgument.ReplaceAllString(m[2], "")
			}
			for name := range strings.SplitSeq(m[2], ",") {
				if name = strings.TrimSpace(name); name != "" {
					i.extends = append(i.extends, name)
				}
			}
			if err := readMembers(body, i.members); err != nil {
				return fmt.Errorf("interface %s: %w", m[1], err)
			}
		case variableAt.MatchString(head):
			m := variableAt.FindStringSubmatch(head)
			g := &declaration{typeName: strings.TrimSpace(m[2]), members: map[string]string{}}
			d.globals[m[1]] = g
			if block {
				if err := readMembers(body, g.members); err != nil {
					return fmt.Errorf("%s: %w", m[1], err)
				}
			}
		default:
			return fmt.Errorf("cannot read %q", statement)
		}
	}
	return nil
}

func readMembers(body string, members map[string]string) error {
	for _, text := range split(body) {
		m := memberAt.FindStringSubmatch(text)
		switch {
		case strings.HasPrefix(text, "prototype:"), strings.HasPrefix(text, "new "), strings.HasPrefix(text, "constructor("), strings.HasPrefix(text, "private constructor("), strings.HasPrefix(text, "("), strings.HasPrefix(text, "["):
			if m == nil || !strings.HasPrefix(text, "[Symbol.") {
				continue
			}
			members[m[2]] = "method"
		case m == nil:
			return fmt.Errorf("cannot read the member %q", text)
		case m[1] == "get ":
			members[m[2]] = "get"
		case m[4] != ":":
			members[m[2]] = "method"
		case m[1] == "":
			members[m[2]] = "getset"
		case literalAt.MatchString(text):
			members[m[2]] = "constant"
		default:
			members[m[2]] = "get"
		}
	}
	return nil
}

// split separates at semicolons outside of brackets, and after a block that ends a
// line.
func split(text string) []string {
	var parts []string
	depth, start := 0, 0
	end := func(at, next int) {
		if part := strings.TrimSpace(text[start:at]); part != "" {
			parts = append(parts, part)
		}
		start = next
	}
	for k, c := range []byte(text) {
		switch c {
		case '{', '(', '[':
			depth++
		case '}', ')', ']':
			depth--
			if c == '}' && depth == 0 && (k+1 == len(text) || text[k+1] == '\n') {
				end(k+1, k+1)
			}
		case ';':
			if depth == 0 {
				end(k, k+1)
			}
		}
	}
	end(len(text), len(text))
	return parts
}
