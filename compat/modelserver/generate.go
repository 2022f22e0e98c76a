package modelserver

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of a generated value.
const (
	maxValues   = 20_000  // values in it
	richDepth   = 6       // nesting beyond which only what is required is generated
	maxDepth    = 64      // nesting of what is required
	maxItems    = 1000    // minItems that can be met
	maxStringOf = 100_000 // minLength that can be met
)

// generator makes a value that is valid against a schema, from what hints found in
// the message and otherwise from the schema alone.
//
// Keywords that it does not know, such as not, if and patternProperties, are ignored.
type generator struct {
	root   *schema
	hints  *hints
	answer string // for strings such as "answer"; empty for arguments of tools
	args   bool   // arguments of a tool: optional ones only if the message has them
	salt   int    // index in an array, so that items differ
	values int
}

func (g *generator) document() (string, error) {
	b, err := g.value(nil, g.root, "", 0)
	return string(b), err
}

func (g *generator) value(b []byte, s *schema, name string, depth int) ([]byte, error) {
	g.values++
	s, err := s.resolve(g.root)
	if err != nil {
		return nil, err
	}
	switch {
	case g.values > maxValues || depth > maxDepth:
		return nil, badRequest("", "Invalid schema: its smallest value has more than %d parts or is nested deeper than %d", maxValues, maxDepth)
	case s.never:
		return nil, badRequest("", "Invalid schema: the value %q is required, but its schema is false", name)
	case s.Const != nil:
		return append(b, s.Const...), nil
	case len(s.Enum) > 0:
		return append(b, g.hints.choose(s.Enum, g.salt)...), nil
	case len(s.AnyOf) > 0 || len(s.OneOf) > 0:
		return g.branch(b, s, name, depth)
	case s.nullable() && (depth > richDepth || g.args && !g.hints.has(s, name)):
		return append(b, "null"...), nil
	}
	switch s.kind() {
	case "object":
		return g.object(b, s, depth)
	case "array":
		return g.array(b, s, name, depth)
	case "number", "integer":
		return append(b, g.number(s, name)...), nil
	case "boolean":
		return strconv.AppendBool(b, g.hints.boolean(name, !g.args)), nil
	case "null":
		return append(b, "null"...), nil
	}
	text, err := g.text(s, name)
	return appendString(b, text), err
}

// branch generates by the branch whose constants the message mentions, else by the
// first that is not null; deep inside by the simplest.
func (g *generator) branch(b []byte, s *schema, name string, depth int) ([]byte, error) {
	branches := s.AnyOf
	if len(branches) == 0 {
		branches = s.OneOf
	}
	base := *s
	if base.AnyOf != nil {
		base.AnyOf = nil
	} else {
		base.OneOf = nil
	}
	var chosen *schema
	best := -1 << 30
	for i, branch := range branches {
		r, err := branch.resolve(g.root)
		if err != nil {
			return nil, err
		}
		isNull := r.kind() == "null" && len(r.Types) > 0
		score := -i
		switch {
		case isNull && (depth > richDepth || g.args && !g.hints.has(&base, name)):
			score += 1000
		case isNull:
			score -= 1000
		case depth > richDepth && (r.kind() == "object" || r.kind() == "array"):
			score -= 500
		case g.hints.mentions(r):
			score += 500
		}
		if score > best {
			chosen, best = r, score
		}
	}
	merged := merge(base, chosen)
	if base.Types != nil && chosen.Types != nil {
		merged.Types = chosen.Types
	}
	return g.value(b, &merged, name, depth+1)
}

func (g *generator) object(b []byte, s *schema, depth int) ([]byte, error) {
	b = append(b, '{')
	count := 0
	add := func(name string, value *schema) error {
		if count > 0 {
			b = append(b, ',')
		}
		count++
		b = append(appendString(b, name), ':')
		var err error
		b, err = g.value(b, value, name, depth+1)
		return err
	}
	for _, prop := range s.Properties {
		if !slices.Contains(s.Required, prop.name) {
			r, err := prop.schema.resolve(g.root)
			if err != nil {
				return nil, err
			}
			if r.never || depth >= richDepth || g.values > maxValues/10 || g.args && !g.hints.has(r, prop.name) {
				continue
			}
		}
		if err := add(prop.name, prop.schema); err != nil {
			return nil, err
		}
	}
	for i, name := range s.Required {
		if s.Properties.get(name) == nil && !slices.Contains(s.Required[:i], name) {
			if err := add(name, s.AdditionalProperties); err != nil {
				return nil, err
			}
		}
	}
	least := 0
	if s.MinProperties != nil {
		least = int(*s.MinProperties)
	}
	for i := 1; count < least && i <= maxItems; i++ {
		name := "key" + strconv.Itoa(i)
		if prop := firstOptional(s, i); prop != nil && depth >= richDepth {
			name = prop.name
		}
		if err := add(name, s.AdditionalProperties); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// firstOptional is the i-th property, from 1, that is not required.
func firstOptional(s *schema, i int) *property {
	for k := range s.Properties {
		if !slices.Contains(s.Required, s.Properties[k].name) {
			if i--; i == 0 {
				return &s.Properties[k]
			}
		}
	}
	return nil
}

func (g *generator) array(b []byte, s *schema, name string, depth int) ([]byte, error) {
	least, most := 0, maxItems
	if s.MinItems != nil {
		least = int(*s.MinItems)
	}
	if s.MaxItems != nil {
		most = min(most, int(*s.MaxItems))
	}
	if least > maxItems {
		return nil, badRequest("", "Invalid schema: minItems %d of %q, want at most %d", least, name, maxItems)
	}
	n := least
	if depth < richDepth {
		item, err := s.Items.resolve(g.root)
		if err != nil {
			return nil, err
		}
		n = max(1, len(s.PrefixItems), least)
		if s.Items != nil && len(item.Enum) == 0 && item.Const == nil && len(s.PrefixItems) == 0 {
			n = max(n, g.hints.left(item.kind()))
		}
		if item.never {
			n = max(least, len(s.PrefixItems))
		}
	}
	n = min(n, most)
	salt := g.salt
	defer func() { g.salt = salt }()
	b = append(b, '[')
	seen := map[string]bool{}
	for i := range n {
		item := s.Items
		if i < len(s.PrefixItems) {
			item = s.PrefixItems[i]
		}
		if i > 0 {
			b = append(b, ',')
		}
		from := len(b)
		g.salt = salt + i
		for try := 0; ; try++ {
			var err error
			if b, err = g.value(b[:from], item, name, depth+1); err != nil {
				return nil, err
			}
			if !s.UniqueItems || !seen[string(b[from:])] {
				break
			}
			if try > maxItems {
				return nil, badRequest("", "Invalid schema: %q wants %d different items, but its items have fewer values", name, n)
			}
			g.salt++
		}
		seen[string(b[from:])] = true
	}
	return append(b, ']'), nil
}

// number takes the message's number if it is in range, else the least that is.
func (g *generator) number(s *schema, name string) string {
	low, high := math.Inf(-1), math.Inf(1)
	step := 0.0
	whole := s.kind() == "integer"
	if whole {
		step = 1
	}
	if s.MultipleOf != nil && *s.MultipleOf > 0 {
		step = float64(*s.MultipleOf)
		if whole && step != math.Trunc(step) {
			step = wholeStep(step)
		}
	}
	if s.Minimum != nil {
		low = float64(*s.Minimum)
	}
	if s.Maximum != nil {
		high = float64(*s.Maximum)
	}
	between := func(v float64) bool {
		return v >= low && v <= high && (s.ExclusiveMinimum == nil || v > float64(*s.ExclusiveMinimum)) &&
			(s.ExclusiveMaximum == nil || v < float64(*s.ExclusiveMaximum)) && (!whole || v == math.Trunc(v)) &&
			(s.MultipleOf == nil || *s.MultipleOf <= 0 || isMultiple(v, float64(*s.MultipleOf)))
	}
	if text, ok := g.hints.number(name, between); ok {
		return text
	}
	if s.ExclusiveMinimum != nil {
		low = max(low, float64(*s.ExclusiveMinimum))
	}
	if s.ExclusiveMaximum != nil {
		high = min(high, float64(*s.ExclusiveMaximum))
	}
	return formatNumber(leastBetween(low, high, step, g.salt, between))
}

func isMultiple(v, of float64) bool {
	q := v / of
	return math.Abs(q-math.Round(q)) < 1e-9*max(1, math.Abs(q))
}

// leastBetween walks up from the lower bound (from 1 or the upper bound without one).
func leastBetween(low, high, step float64, salt int, ok func(float64) bool) float64 {
	unit := step
	if unit == 0 {
		unit = 1
		if width := high - low; width < 2 {
			unit = width / 4
		}
	}
	start := 1 + float64(salt)
	switch {
	case !math.IsInf(low, -1):
		start = low + float64(salt)*unit
	case high < start:
		start = high - float64(salt)*unit
	}
	if step > 0 {
		start = math.Ceil(start/step) * step
	}
	for k := range 8 {
		for _, v := range [2]float64{start + float64(k)*unit, start - float64(k)*unit} {
			if ok(v) {
				return v
			}
		}
	}
	return start
}

var answerNames = lazily(`(?i)^(?:answer|text|message|content|summary|response|result|output|reply|explanation|description|reasoning|reason)$`)

// text takes a string of the message that fits, else makes one.
func (g *generator) text(s *schema, name string) (string, error) {
	least, most := 0, math.MaxInt
	if s.MinLength != nil {
		least = int(*s.MinLength)
	}
	if s.MaxLength != nil {
		most = int(*s.MaxLength)
	}
	if least > maxStringOf {
		return "", badRequest("", "Invalid schema: minLength %d of %q, want at most %d", least, name, maxStringOf)
	}
	var pattern *regexp.Regexp
	if s.Pattern != "" {
		// Go's syntax lacks look-around and back references: such patterns are ignored.
		pattern, _ = regexp.Compile(s.Pattern)
	}
	fits := func(text string) bool {
		n := utf8.RuneCountInString(text)
		return n >= least && n <= most && (pattern == nil || pattern.MatchString(text))
	}
	if sample, known := formats[s.Format]; known {
		if found := sample.find().FindString(g.hints.text); found != "" && g.salt == 0 && fits(found) {
			return found, nil
		}
		return sample.make(g.salt), nil
	}
	if g.answer != "" && answerNames().MatchString(name) && fits(g.answer) {
		return g.answer, nil
	}
	if found, ok := g.hints.word(name, fits); ok {
		return found, nil
	}
	fallback := strings.TrimSpace("sample " + strings.Join(nameWords(name), " "))
	if g.args {
		fallback = strings.TrimSpace(g.hints.text)
	}
	if g.salt > 0 {
		fallback = fmt.Sprintf("%s %d", fallback, g.salt+1)
	}
	if pattern != nil && !pattern.MatchString(fallback) {
		return matching(s.Pattern, least, g.salt)
	}
	for utf8.RuneCountInString(fallback) < least {
		fallback += " " + fallback + "."
	}
	if runes := []rune(fallback); len(runes) > most {
		suffix := []rune(strconv.Itoa(g.salt))
		fallback = string(runes[:most])
		if g.salt > 0 && most >= len(suffix) {
			fallback = string(append(runes[:most-len(suffix)], suffix...))
		}
	}
	return fallback, nil
}

type format struct {
	find func() *regexp.Regexp
	make func(salt int) string
}

func fixed(pattern, template string) format {
	return format{lazily(pattern), func(salt int) string { return fmt.Sprintf(template, salt%10) }}
}

var formats = map[string]format{
	"date":      fixed(`\b\d{4}-\d{2}-\d{2}\b`, "2026-01-1%d"),
	"date-time": fixed(`\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})`, "2026-01-1%dT12:00:00Z"),
	"time":      fixed(`\b\d{2}:\d{2}:\d{2}(?:Z|[+-]\d{2}:\d{2})`, "12:00:0%dZ"),
	"duration":  fixed(`\bP(?:\d+[YMWD])+(?:T(?:\d+[HMS])+)?\b`, "P1%dD"),
	"email":     fixed(`[\w.+-]+@[\w-]+(?:\.[\w-]+)+`, "user%d@example.com"),
	"idn-email": fixed(`[\w.+-]+@[\w-]+(?:\.[\w-]+)+`, "user%d@example.com"),
	"hostname":  fixed(`\b[a-z0-9-]+(?:\.[a-z0-9-]+)+\b`, "host%d.example.com"),
	"ipv4":      fixed(`\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b`, "192.0.2.%d"),
	"ipv6":      fixed(`\b[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){7}\b`, "2001:db8::%d"),
	"uri":       fixed(`https?://[^\s"'<>)\]]+[^\s"'<>)\].,;:!?]`, "https://example.com/%d"),
	"url":       fixed(`https?://[^\s"'<>)\]]+[^\s"'<>)\].,;:!?]`, "https://example.com/%d"),
	"uuid":      fixed(`\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}\b`, "00000000-0000-4000-8000-00000000000%d"),
}

// choose returns the value that the message mentions, else the one at index salt.
func (h *hints) choose(values []json.RawMessage, salt int) json.RawMessage {
	if salt == 0 {
		for _, v := range values {
			if h.mentionsValue(v) {
				return v
			}
		}
	}
	return values[salt%len(values)]
}

// wholeStep is the least whole multiple of step within a thousand steps.
func wholeStep(step float64) float64 {
	for k := 1.0; k <= 1000; k++ {
		if v := step * k; isMultiple(v, 1) {
			return math.Round(v)
		}
	}
	return step
}
