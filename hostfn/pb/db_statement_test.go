package pb

import (
	"strings"
	"testing"
)

// FuzzStatement checks that what parseStatement accepts has one statement of an
// allowed kind, whatever quotes and comments surround it.
func FuzzStatement(f *testing.F) {
	for _, sql := range []string{"SELECT 1", "select '{:x}', {:y} -- c\n", "WITH a AS (SELECT ?) DELETE FROM a", "PRAGMA table_info(x)", `SELECT "a;b", [c;d], 'e;''f' /* ; */;`,
		"/**/BEGIN", "{{a}}.[[b]]", "ATTACH 'x'", "SELECT 1;;;", "\x00", "'", "[", "{:", "/*"} {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		s, err := parseStatement(sql)
		if err != nil {
			return
		}
		verb := strings.ToUpper(strings.TrimLeft(s.text, " \t\r\n\f("))
		for _, forbidden := range append([]string{"ATTACH", "DETACH", "VACUUM"}, transactions...) {
			if strings.HasPrefix(verb, forbidden) && (len(verb) == len(forbidden) || !isWord(verb[len(forbidden)])) {
				t.Errorf("%q was accepted", sql)
			}
		}
		again, err := parseStatement(s.text)
		if err != nil || again.writes != s.writes || len(again.names) != len(s.names)+len(s.literals) {
			t.Errorf("%q became %q, which reads differently: %v", sql, s.text, err)
		}
	})
}
