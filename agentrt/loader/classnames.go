package loader

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
)

// classLine matches the first line of a class: what it is assigned to and its name.
var classLine = regexp.MustCompile(`(?m)^[ \t]*(?:(?:var )?([\w$]+) = )?class(?: ([\w$]+))?(?: extends [\w$.]+(?:\([^{}\n]*\))?)? \{$`)

// nameClasses gives classes the name that they have in the source, since programs look
// at error.constructor.name. esbuild writes "class Foo" as "var Foo = class _Foo" if the
// body refers to the class, and as "var Foo2 = class" if there is another Foo. The
// source map tells; no line is added, so it stays true.
func nameClasses(code, sourceMap []byte) ([]byte, error) {
	found := classLine.FindAllSubmatchIndex(code, -1)
	if len(found) == 0 {
		return code, nil
	}
	fields, err := splitObject(sourceMap)
	if err != nil {
		return nil, fmt.Errorf("the source map is malformed: %w", err)
	}
	var names []string
	if err := json.Unmarshal(fields["names"], &names); err != nil {
		return nil, fmt.Errorf("the source map is malformed: names: %w", err)
	}
	d := decoder{text: bytes.Trim(fields["mappings"], `"`)}
	out := make([]byte, 0, len(code)+64*len(found))
	copied, counted := 0, 0
	for _, at := range found {
		for n := bytes.Count(code[counted:at[0]], []byte("\n")); n > 0 && d.skipLine(); n-- {
		}
		counted = at[0]
		assigned, given := between(code, at[2], at[3]), between(code, at[4], at[5])
		var variable, class symbol
		if assigned != "" {
			variable = d.token(at[2]-at[0], names)
		}
		if given != "" {
			class = d.token(at[4]-at[0], names)
		}
		name := sourceName(variable, class, assigned, given != "")
		if given == "" {
			given = assigned
		}
		if name == "" || name == given {
			continue
		}
		out = append(out, code[copied:at[1]]...)
		out = fmt.Appendf(out, ` static { if (this.name === %q) Object.defineProperty(this, "name", { value: %q, configurable: true }); }`, given, name)
		copied = at[1]
	}
	return append(out, code[copied:]...), d.err
}

func between(code []byte, from, to int) string {
	if from < 0 {
		return ""
	}
	return string(code[from:to])
}

// symbol is what the source map says of a name in the bundle.
type symbol struct {
	known bool
	at    position
	name  string // in the source, if it is another one
}

// sourceName is the name of a class in the source, "" if it is as it was. A class that
// stands where its variable stands was declared.
func sourceName(variable, class symbol, assigned string, named bool) string {
	switch {
	case !named:
		return variable.name
	case !variable.known || variable.at != class.at:
		return class.name
	case variable.name != "":
		return variable.name
	}
	return assigned
}

// token returns the symbol at a column of the decoder's line. It may be asked for
// columns in ascending order.
func (d *decoder) token(column int, names []string) (s symbol) {
	for d.more() {
		before := *d
		at, mapped := d.segment()
		if at > column {
			*d = before
			break
		}
		if at == column {
			s.known, s.at = mapped, d.state
			if d.named && d.nameIndex >= 0 && d.nameIndex < len(names) {
				s.name = names[d.nameIndex]
			}
			break
		}
	}
	return s
}
