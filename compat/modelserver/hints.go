package modelserver

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/agentrt/agentrt/vector/embed/hashing"
)

var (
	quotedPattern = lazily(`"([^"\n]{1,500})"|“([^”\n]{1,500})”|(?:^|[\s(:=])'([^'\n]{1,500})'`)
	numberPattern = lazily(`-?\d+(?:\.\d+)?`)
)

// hints are what a message offers as values, each used once.
type hints struct {
	text, lower            string
	numbers, quoted, nouns []string
	starts                 []string // capitalised words that begin a sentence
}

// maxHints is the number of bytes, of a message and of the results of tools, that are
// searched for values.
const maxHints = 128 << 10

func newHints(text string) *hints {
	text = cutText(text, maxHints)
	h := &hints{text: text, lower: strings.ToLower(text)}
	for _, at := range numberPattern().FindAllStringIndex(text, -1) {
		if at[0] > 0 && (isWordByte(text[at[0]-1]) || text[at[0]] == '-' && text[at[0]-1] != ' ') {
			at[0] += strings.IndexFunc(text[at[0]:at[1]], unicode.IsDigit)
			if isWordByte(text[at[0]-1]) {
				continue
			}
		}
		h.numbers = append(h.numbers, text[at[0]:at[1]])
	}
	for _, m := range quotedPattern().FindAllStringSubmatch(text, -1) {
		h.quoted = append(h.quoted, m[1]+m[2]+m[3])
	}
	h.findNouns(quotedPattern().ReplaceAllString(text, " , "))
	return h
}

func isWordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

var orders = func() map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(`get give tell show find search fetch call use create make list write generate describe extract add compute calculate
		convert translate send book look check please what which who how when where why is are do does can could hello hi hey the a an i i'm in on`) {
		out[w] = true
	}
	return out
}()

// findNouns collects runs of capitalised words such as "New York".
func (h *hints) findNouns(text string) {
	var run []string
	begins, runBegins := true, false
	end := func() {
		if runBegins && len(run) > 0 && orders[strings.ToLower(run[0])] {
			run, runBegins = run[1:], false
		}
		switch {
		case len(run) == 0:
		case runBegins && len(run) == 1:
			h.starts = append(h.starts, run[0])
		default:
			h.nouns = append(h.nouns, strings.Join(run, " "))
		}
		run = nil
	}
	for field := range strings.FieldsSeq(text) {
		word := strings.TrimFunc(field, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		first, _, _ := cutRune(word)
		capital := first != "" && unicode.IsUpper([]rune(first)[0]) && word != "I" && !strings.HasPrefix(word, "I'")
		if !capital || !strings.HasPrefix(field, word) {
			end()
		}
		if capital {
			if len(run) == 0 {
				runBegins = begins
			}
			run = append(run, word)
		}
		if word != "" && !strings.HasSuffix(field, word) {
			end()
		}
		begins = strings.ContainsAny(field[len(field)-1:], ".!?:") && word != ""
	}
	end()
}

// nameWords splits snake_case, kebab-case and camelCase into lower-case words.
func nameWords(name string) []string {
	var b strings.Builder
	previous := ' '
	for _, r := range name {
		if unicode.IsUpper(r) && unicode.IsLower(previous) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
		previous = r
	}
	return words(b.String())
}

// named returns the value behind the property's name: "limit: 5", "city = Rome",
// `title "Go"`, "from Paris".
func (h *hints) named(name string) (string, bool) {
	parts := nameWords(name)
	if len(parts) == 0 {
		return "", false
	}
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	re, err := regexp.Compile(`(?:^|[^\pL\pN_])(?i:` + strings.Join(parts, `[\s_-]?`) + `)(?:\s*[:=]\s*("[^"\n]+"|'[^'\n]+'|[^\s,;?!]+)|\s+(?:(?:is|of|to|as|=)\s+)?("[^"\n]+"|'[^'\n]+'|-?\d+(?:\.\d+)?\b|\p{Lu}[\pL\pN'-]*(?:\s+\p{Lu}[\pL\pN'-]*)*))`)
	if err != nil {
		return "", false
	}
	m := re.FindStringSubmatch(h.text)
	if m == nil {
		return "", false
	}
	value := m[1] + m[2]
	if m[1] != "" {
		value = strings.TrimRight(value, ".")
	}
	return strings.Trim(value, `"'`), true
}

// take removes the first value that fits.
func take(values *[]string, fits func(string) bool) (string, bool) {
	for i, v := range *values {
		if fits(v) {
			*values = slices.Delete(slices.Clone(*values), i, i+1)
			return v, true
		}
	}
	return "", false
}

func (h *hints) remove(value string) {
	is := func(v string) bool { return v == value }
	for _, list := range []*[]string{&h.numbers, &h.quoted, &h.nouns, &h.starts} {
		if _, ok := take(list, is); ok {
			return
		}
	}
}

func (h *hints) number(name string, fits func(float64) bool) (string, bool) {
	check := func(text string) bool {
		v, err := strconv.ParseFloat(text, 64)
		return err == nil && json.Valid([]byte(text)) && fits(v)
	}
	if v, ok := h.named(name); ok && check(v) {
		h.remove(v)
		return v, true
	}
	return take(&h.numbers, check)
}

func (h *hints) word(name string, fits func(string) bool) (string, bool) {
	if v, ok := h.named(name); ok && fits(v) {
		h.remove(v)
		return v, true
	}
	for _, list := range []*[]string{&h.quoted, &h.nouns, &h.starts} {
		if v, ok := take(list, fits); ok {
			return v, true
		}
	}
	return "", false
}

// left is the number of unused values for items of this kind, at most 20.
func (h *hints) left(kind string) int {
	switch kind {
	case "number", "integer":
		return min(len(h.numbers), 20)
	case "string":
		if len(h.quoted) > 0 {
			return min(len(h.quoted), 20)
		}
		return min(len(h.nouns), 20)
	}
	return 0
}

var denials = []string{"no", "not", "without", "false", "off", "disable", "disabled", "never"}

// boolean is false if a denial stands by the name, true if the name does, else other.
func (h *hints) boolean(name string, other bool) bool {
	if v, ok := h.named(name); ok {
		if b, err := strconv.ParseBool(strings.ToLower(v)); err == nil {
			return b
		}
	}
	text, parts := words(h.text), nameWords(name)
	for i := range text {
		if len(parts) == 0 || i+len(parts) > len(text) || !slices.Equal(text[i:i+len(parts)], parts) {
			continue
		}
		around := text[max(0, i-1):min(len(text), i+len(parts)+1)]
		return !slices.ContainsFunc(around, func(w string) bool { return slices.Contains(denials, w) })
	}
	return other
}

func (h *hints) hasWord(text string) bool {
	text = strings.ToLower(text)
	for at, from := 0, 0; ; from = at + 1 {
		i := strings.Index(h.lower[from:], text)
		if i < 0 || text == "" {
			return false
		}
		at = from + i
		end := at + len(text)
		if (at == 0 || !isWordByte(h.lower[at-1])) && (end == len(h.lower) || !isWordByte(h.lower[end])) {
			return true
		}
	}
}

func (h *hints) mentionsValue(raw json.RawMessage) bool {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return h.hasWord(text) || h.hasWord(strings.Join(nameWords(text), " "))
	}
	return slices.Contains(h.numbers, string(raw))
}

// mentions tells whether the message names a constant of the object's properties.
func (h *hints) mentions(s *schema) bool {
	for _, prop := range s.Properties {
		if prop.schema.Const != nil && h.mentionsValue(prop.schema.Const) || slices.ContainsFunc(prop.schema.Enum, h.mentionsValue) {
			return true
		}
	}
	return s.Const != nil && h.mentionsValue(s.Const) || slices.ContainsFunc(s.Enum, h.mentionsValue)
}

// has tells whether the message offers a value for an optional property: one behind
// its name, one of its constants, its name for a boolean.
func (h *hints) has(s *schema, name string) bool {
	if _, ok := h.named(name); ok {
		return true
	}
	return h.mentions(s) || s.kind() == "boolean" && name != "" && h.hasWord(strings.Join(nameWords(name), " "))
}

// generic are words of tools' descriptions that say nothing about their purpose.
var generic = func() map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(`get set fetch given current return use user call tool function value name number string text input output result data
		information info about find look lookup show give tell list new item type object json schema any all one two please want need must
		optional required example like such model answer question message provide run make let`) {
		out[stem(w)] = true
	}
	return out
}()

// keywords are the stems of the words of at least three letters that carry meaning.
func keywords(text []string) []string {
	var out []string
	for _, w := range text {
		if s := stem(w); len(w) >= 3 && !generic[s] && !hashing.IsFunctionWord(w) {
			out = append(out, s)
		}
	}
	return out
}
