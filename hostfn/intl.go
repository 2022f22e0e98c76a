package hostfn

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones of Intl.DateTimeFormat, on machines that have none

	"github.com/agentrt/agentrt/quickjs"
	"golang.org/x/text/collate"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// RegisterIntl adds the operations behind Intl in intl.ts (https://tc39.es/ecma402/),
// over the data of golang.org/x/text and Go's time zones. Tags are canonical.
//
//	intl.zone       {zone, time}                  {offset, abbreviation, from, until}: the zone at a time in ms; RangeError for an unknown zone
//	intl.compare    {tag, sensitivity, numeric, a, b}  -1, 0 or 1
//	intl.plural     {tag, ordinal, whole, fraction}    the category of a number's digits
//	intl.categories {tag, ordinal}                the categories that the language has
//	intl.display    {tag, type, code}             a name, or null
//	intl.expand     tag                           {max, min}: with likely subtags, and without
//	intl.known      {service, tag}                whether there is data for collate, plural or display
func RegisterIntl(ops *quickjs.Ops) {
	quickjs.Sync(ops, "intl.zone", zoneAt)
	quickjs.Sync(ops, "intl.compare", compareText)
	quickjs.Sync(ops, "intl.plural", func(_ context.Context, r pluralRequest) (string, error) { return r.category(), nil })
	quickjs.Sync(ops, "intl.categories", func(_ context.Context, r pluralRequest) ([]string, error) { return r.categories(), nil })
	quickjs.Sync(ops, "intl.display", displayName)
	quickjs.Sync(ops, "intl.expand", func(_ context.Context, tag string) (expanded, error) { return expand(language.Make(tag)), nil })
	quickjs.Sync(ops, "intl.known", func(_ context.Context, r knownRequest) (bool, error) { return r.known(), nil })
}

type zoneRequest struct {
	Zone string
	Time float64
}

type zoneSpan struct {
	Offset       int    `json:"offset"`
	Abbreviation string `json:"abbreviation"`
	From         *int64 `json:"from,omitempty"`
	Until        *int64 `json:"until,omitempty"`
}

func zoneAt(_ context.Context, r zoneRequest) (span zoneSpan, err error) {
	location, err := time.LoadLocation(r.Zone)
	if err != nil || r.Zone == "" || r.Zone == "Local" {
		return span, &quickjs.HostError{Name: "RangeError", Message: fmt.Sprintf("Invalid time zone specified: %s", clip(r.Zone, 100))}
	}
	t := time.UnixMilli(int64(r.Time)).In(location)
	name, offset := t.Zone()
	span.Offset, span.Abbreviation = offset*1000, name
	from, until := t.ZoneBounds()
	for bound, to := range map[*time.Time]**int64{&from: &span.From, &until: &span.Until} {
		if !bound.IsZero() {
			ms := bound.UnixMilli()
			*to = &ms
		}
	}
	return span, nil
}

type compareRequest struct {
	Tag, Sensitivity string
	Numeric          bool
	A, B             string
}

// collators are pools by options: a collator serves one goroutine at a time. Tags
// come from users, so the number of pools is bounded.
var collators struct {
	sync.Mutex
	pools map[compareRequest]*sync.Pool
}

const maxCollators = 64

func compareText(_ context.Context, r compareRequest) (int, error) {
	key := r
	key.A, key.B = "", ""
	collators.Lock()
	pool := collators.pools[key]
	if pool == nil {
		if len(collators.pools) >= maxCollators || collators.pools == nil {
			collators.pools = map[compareRequest]*sync.Pool{}
		}
		pool = &sync.Pool{New: func() any { return key.collator() }}
		collators.pools[key] = pool
	}
	collators.Unlock()
	c := pool.Get().(*collate.Collator)
	defer pool.Put(c)
	return c.CompareString(r.A, r.B), nil
}

func (r compareRequest) collator() *collate.Collator {
	var options []collate.Option
	switch r.Sensitivity {
	case "base":
		options = append(options, collate.IgnoreCase, collate.IgnoreDiacritics)
	case "accent":
		options = append(options, collate.IgnoreCase)
	}
	if r.Numeric {
		options = append(options, collate.Numeric)
	}
	return collate.New(language.Make(r.Tag), options...)
}

type pluralRequest struct {
	Tag             string
	Ordinal         bool
	Whole, Fraction string
}

var pluralForms = map[plural.Form]string{plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other"}

func (r pluralRequest) rules() *plural.Rules {
	if r.Ordinal {
		return plural.Ordinal
	}
	return plural.Cardinal
}

// millions are the languages whose form "many" for whole millions is younger than
// the data of x/text.
var millions = []string{"ca", "es", "fr", "it", "pt"}

func (r pluralRequest) category() string {
	tag := language.Make(r.Tag)
	base, _ := tag.Base()
	if !r.Ordinal && r.Fraction == "" && len(r.Whole) > 6 && strings.HasSuffix(r.Whole, "000000") && slices.Contains(millions, base.String()) {
		return "many"
	}
	trimmed := strings.TrimRight(r.Fraction, "0")
	form := r.rules().MatchPlural(tag, lastDigits(r.Whole), len(r.Fraction), len(trimmed), lastDigits(r.Fraction), lastDigits(trimmed))
	return pluralForms[form]
}

// lastDigits keeps what plural rules can tell apart.
func lastDigits(s string) int {
	large := len(s) > 7
	if large {
		s = s[len(s)-7:]
	}
	n := 0
	for _, c := range []byte(s) {
		n = n*10 + int(c-'0')
	}
	if large {
		n += 10_000_000
	}
	return n
}

func (r pluralRequest) categories() []string {
	found := map[string]bool{"other": true}
	for n := range 201 {
		for _, fraction := range []string{"", "0", "1", "5"} {
			r.Whole, r.Fraction = fmt.Sprint(n), fraction
			found[r.category()] = true
		}
	}
	for _, whole := range []string{"1000", "1000000"} {
		r.Whole, r.Fraction = whole, ""
		found[r.category()] = true
	}
	var all []string
	for _, name := range []string{"few", "many", "one", "two", "zero", "other"} {
		if found[name] {
			all = append(all, name)
		}
	}
	return all
}

type displayRequest struct {
	Tag, Type, Code string
}

func displayName(_ context.Context, r displayRequest) (*string, error) {
	tag := language.Make(r.Tag)
	var name string
	switch r.Type {
	case "language":
		if t, err := language.Parse(r.Code); err == nil {
			if namer := display.Languages(tag); namer != nil {
				name = namer.Name(t)
			}
		}
	case "region":
		if region, err := language.ParseRegion(r.Code); err == nil {
			if namer := display.Regions(tag); namer != nil {
				name = namer.Name(region)
			}
		}
	case "script":
		if script, err := language.ParseScript(r.Code); err == nil {
			if namer := display.Scripts(tag); namer != nil {
				name = namer.Name(script)
			}
		}
	}
	if name == "" {
		return nil, nil
	}
	return &name, nil
}

type expanded struct {
	Max string `json:"max"`
	Min string `json:"min"`
}

// expand follows https://unicode.org/reports/tr35/#Likely_Subtags as far as x/text
// knows the language.
func expand(tag language.Tag) expanded {
	base, known := tag.Base()
	script, _ := tag.Script()
	region, _ := tag.Region()
	if known == language.No || script.String() == "Zzzz" || region.String() == "ZZ" {
		return expanded{tag.String(), tag.String()}
	}
	full := base.String() + "-" + script.String() + "-" + region.String()
	for _, short := range []string{base.String(), base.String() + "-" + region.String(), base.String() + "-" + script.String()} {
		t := language.Make(short)
		s, _ := t.Script()
		r, _ := t.Region()
		if s == script && r == region {
			return expanded{full, short}
		}
	}
	return expanded{full, full}
}

type knownRequest struct {
	Service, Tag string
}

// rootCollation are languages that CLDR sorts by its root order.
var rootCollation = strings.Fields("en de fr it pt nl id ms ga sw zu ca lb eu")

// pluralLanguages are those whose rules in x/text agree with CLDR 48, which a test
// compares.
var pluralLanguages = strings.Fields("af ar bg bn ca cs cy da de el en es et eu fa fi fil fr ga gl gu hi hr hu hy id it ja ka kk kn ko ky lt lv ml mn ms nb ne nl no pa pl pt ro ru si sk sl sq sr sv sw ta te th tr uk ur uz vi zh zu")

var (
	collationLanguages = sync.OnceValue(func() []string { return append(bases(collate.Supported()), rootCollation...) })
	displayLanguages   = sync.OnceValue(func() []string { return bases(display.Supported.Tags()) })
)

func bases(tags []language.Tag) []string {
	var all []string
	for _, tag := range tags {
		if base, confidence := tag.Base(); confidence == language.Exact {
			all = append(all, base.String())
		}
	}
	return all
}

func (r knownRequest) known() bool {
	base, _, _ := strings.Cut(r.Tag, "-")
	switch r.Service {
	case "collate":
		return slices.Contains(collationLanguages(), base)
	case "plural":
		return slices.Contains(pluralLanguages, base)
	case "display":
		return slices.Contains(displayLanguages(), base)
	}
	return false
}
