package pb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agentrt/agentrt/quickjs"
)

// statement is one SQL statement of user code, ready for dbx.
type statement struct {
	// text has {:name} for each parameter, and no comments.
	text string
	// names are the parameters in their order; positional ones are named by number.
	names      []string
	positional bool
	// literals are string literals that dbx would read as placeholders.
	literals map[string]string
	// writes tells statements that change the database from those that read it.
	writes bool
}

// maxSQL bounds the text of a statement in bytes.
const maxSQL = 1 << 20

var (
	reading      = []string{"SELECT", "VALUES", "EXPLAIN"}
	writing      = []string{"INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "DROP", "ALTER", "REINDEX", "ANALYZE"}
	transactions = []string{"BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"}
	// pragmas are those that only read.
	pragmas = []string{"TABLE_INFO", "TABLE_XINFO", "TABLE_LIST", "INDEX_LIST", "INDEX_INFO", "INDEX_XINFO", "FOREIGN_KEY_LIST",
		"FOREIGN_KEY_CHECK", "COLLATION_LIST", "COMPILE_OPTIONS", "DATABASE_LIST", "FUNCTION_LIST", "PAGE_COUNT", "PAGE_SIZE"}
)

func sqlError(format string, args ...any) error {
	return &quickjs.HostError{Name: "TypeError", Code: "ERR_DB_STATEMENT", Message: fmt.Sprintf(format, args...)}
}

// parseStatement finds the parameters and the kind of a statement. It refuses more
// than one, and those that would reach beyond the database or end a transaction.
func parseStatement(sql string) (*statement, error) {
	if len(sql) > maxSQL {
		return nil, sqlError("the statement is longer than %d bytes", maxSQL)
	}
	s := &sqlScanner{in: sql, statement: &statement{literals: map[string]string{}}}
	if err := s.scan(); err != nil {
		return nil, err
	}
	s.statement.text = s.out.String()
	return s.statement, s.classify()
}

type sqlScanner struct {
	in        string
	at        int
	out       strings.Builder
	statement *statement
	depth     int
	ended     bool
	named     bool
	// words are the upper-case words outside parentheses, each with the character that follows it.
	words []sqlWord
	// assigns tells that there is an "=" outside parentheses.
	assigns bool
}

type sqlWord struct {
	text string
	next byte
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func (s *sqlScanner) scan() error {
	for s.at < len(s.in) {
		rest := s.in[s.at:]
		c := rest[0]
		switch {
		case c == 0:
			return sqlError("the statement has a zero byte")
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f':
			s.copy(1)
			continue
		case strings.HasPrefix(rest, "--"):
			s.skip(strings.IndexByte(rest, '\n'))
			continue
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end >= 0 {
				end += 4
			}
			s.skip(end)
			continue
		case c == ';':
			s.ended = true
			s.at++
			continue
		}
		if s.ended {
			return sqlError("there is more than one statement: give each to a call of its own, within pb.tx() if they belong together")
		}
		if err := s.token(c, rest); err != nil {
			return err
		}
	}
	return nil
}

// copy takes n bytes over; skip replaces n bytes, or the rest if n is negative, by a space.
func (s *sqlScanner) copy(n int) {
	s.out.WriteString(s.in[s.at : s.at+n])
	s.at += n
}

func (s *sqlScanner) skip(n int) {
	if n < 0 {
		n = len(s.in) - s.at
	}
	s.out.WriteByte(' ')
	s.at += n
}

func (s *sqlScanner) token(c byte, rest string) error {
	switch {
	case c == '\'' || c == '"' || c == '`':
		return s.quoted(c, rest)
	case strings.HasPrefix(rest, "{:"):
		end := strings.IndexByte(rest, '}')
		if end < 3 || strings.IndexFunc(rest[2:end], func(r rune) bool { return r >= 0x80 || r == '$' || !isWord(byte(r)) }) >= 0 {
			return sqlError("a parameter is {:name} with a name of letters, digits and underscores")
		}
		return s.parameter(rest[2:end], end+1, true)
	case strings.HasPrefix(rest, "{{"), strings.HasPrefix(rest, "[["):
		closing := map[byte]string{'{': "}}", '[': "]]"}[c]
		return s.enclosed(rest, closing)
	case c == '[':
		return s.enclosed(rest, "]")
	case c == '?' && (len(rest) == 1 || rest[1] < '0' || rest[1] > '9'):
		return s.parameter(fmt.Sprint(len(s.statement.names)), 1, false)
	case c == '?' || c == ':' || c == '@' || c == '$':
		return sqlError("parameters are {:name} with an object, or ? with an array; %q is neither", rest[:min(len(rest), 12)])
	case c == '(':
		s.depth++
	case c == ')':
		s.depth--
	case c == '=' && s.depth == 0:
		s.assigns = true
	case isWord(c):
		n := 1
		for n < len(rest) && isWord(rest[n]) {
			n++
		}
		if s.depth == 0 {
			next := strings.TrimLeft(rest[n:], " \t\r\n\f")
			word := sqlWord{text: strings.ToUpper(rest[:n])}
			if next != "" {
				word.next = next[0]
			}
			s.words = append(s.words, word)
		}
		s.copy(n)
		return nil
	}
	s.copy(1)
	return nil
}

func (s *sqlScanner) enclosed(rest, closing string) error {
	end := strings.Index(rest, closing)
	if end < 0 {
		return sqlError("%q is not closed", rest[:min(len(rest), 12)])
	}
	s.copy(end + len(closing))
	return nil
}

func (s *sqlScanner) quoted(quote byte, rest string) error {
	n := 1
	for {
		end := strings.IndexByte(rest[n:], quote)
		if end < 0 {
			return sqlError("%q is not closed", rest[:min(len(rest), 12)])
		}
		n += end + 1
		if n == len(rest) || rest[n] != quote {
			break
		}
		n++
	}
	text := rest[:n]
	if !strings.Contains(text, "{:") && !strings.Contains(text, "{{") && !strings.Contains(text, "[[") {
		s.copy(n)
		return nil
	}
	if quote != '\'' {
		return sqlError("a quoted name cannot contain {:, {{ or [[")
	}
	name := fmt.Sprintf("agentrt_literal_%d", len(s.statement.literals))
	s.statement.literals[name] = strings.ReplaceAll(text[1:n-1], "''", "'")
	s.out.WriteString("{:" + name + "}")
	s.at += n
	return nil
}

func (s *sqlScanner) parameter(name string, n int, named bool) error {
	if len(s.statement.names) > 0 && s.named != named {
		return sqlError("a statement has either {:name} or ? as parameters, not both")
	}
	s.named = named
	s.statement.positional = !named
	s.statement.names = append(s.statement.names, name)
	s.out.WriteString("{:" + name + "}")
	s.at += n
	return nil
}

func (s *sqlScanner) classify() error {
	if len(s.words) == 0 {
		return sqlError("the statement is empty")
	}
	verb := s.words[0].text
	switch {
	case slices.Contains(reading, verb):
	case slices.Contains(writing, verb):
		s.statement.writes = true
	case verb == "WITH":
		s.statement.writes = slices.ContainsFunc(s.words[1:], func(w sqlWord) bool {
			return w.text == "INSERT" || w.text == "UPDATE" || w.text == "DELETE" || w.text == "REPLACE" && w.next != '('
		})
	case slices.Contains(transactions, verb):
		return sqlError("%s is not allowed: transactions are pb.tx()", verb)
	case verb == "PRAGMA":
		if s.assigns || len(s.words) < 2 || !slices.Contains(pragmas, s.words[len(s.words)-1].text) {
			return sqlError("PRAGMA is allowed only to read, with %s", strings.ToLower(strings.Join(pragmas, ", ")))
		}
	default:
		return sqlError("%s is not allowed: use %s", verb, strings.Join(append(slices.Clone(reading), append([]string{"WITH"}, writing...)...), ", "))
	}
	return nil
}
