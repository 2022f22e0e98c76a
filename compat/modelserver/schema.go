package modelserver

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// schema is the part of JSON Schema (2020-12, and OpenAPI's nullable and upper-case
// types as Gemini has them) that generator honours.
type schema struct {
	Ref                  string             `json:"$ref"`
	Defs                 map[string]*schema `json:"$defs"`
	Definitions          map[string]*schema `json:"definitions"`
	Types                typeList           `json:"type"`
	Nullable             bool               `json:"nullable"`
	Enum                 []json.RawMessage  `json:"enum"`
	Const                json.RawMessage    `json:"const"`
	Properties           properties         `json:"properties"`
	Required             []string           `json:"required"`
	AdditionalProperties *schema            `json:"additionalProperties"`
	MinProperties        *number            `json:"minProperties"`
	Items                *schema            `json:"items"`
	PrefixItems          []*schema          `json:"prefixItems"`
	MinItems             *number            `json:"minItems"`
	MaxItems             *number            `json:"maxItems"`
	UniqueItems          bool               `json:"uniqueItems"`
	Minimum              *number            `json:"minimum"`
	Maximum              *number            `json:"maximum"`
	ExclusiveMinimum     *number            `json:"exclusiveMinimum"`
	ExclusiveMaximum     *number            `json:"exclusiveMaximum"`
	MultipleOf           *number            `json:"multipleOf"`
	MinLength            *number            `json:"minLength"`
	MaxLength            *number            `json:"maxLength"`
	Pattern              string             `json:"pattern"`
	Format               string             `json:"format"`
	AnyOf                []*schema          `json:"anyOf"`
	OneOf                []*schema          `json:"oneOf"`
	AllOf                []*schema          `json:"allOf"`

	never bool // the schema false
	size  int  // tokens of the text, of a root only
}

// maxSchemaNesting bounds the nesting of brackets in a schema.
const maxSchemaNesting = 128

// parseSchema reads a schema; param names where it stood in the request.
func parseSchema(raw []byte, param string) (*schema, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	depth, deepest := 0, 0
	for _, c := range raw {
		switch c {
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		}
	}
	if deepest > maxSchemaNesting {
		return nil, badRequest(param, "the schema is nested %d deep, want at most %d", deepest, maxSchemaNesting)
	}
	s := &schema{}
	if err := json.Unmarshal(raw, s); err != nil {
		return nil, badRequest(param, "Invalid schema: %v", err)
	}
	s.size = countTokens(string(raw))
	return s, nil
}

func (s *schema) tokens() int {
	if s == nil {
		return 0
	}
	return s.size
}

// UnmarshalJSON reads an object or a boolean.
func (s *schema) UnmarshalJSON(raw []byte) error {
	switch string(bytes.TrimSpace(raw)) {
	case "true":
		return nil
	case "false":
		s.never = true
		return nil
	}
	type plain schema
	return json.Unmarshal(raw, (*plain)(s))
}

type typeList []string

// UnmarshalJSON reads a type or a list of types in either case.
func (t *typeList) UnmarshalJSON(raw []byte) error {
	var many []string
	if err := json.Unmarshal(raw, &many); err != nil {
		var one string
		if err := json.Unmarshal(raw, &one); err != nil {
			return err
		}
		many = []string{one}
	}
	for i := range many {
		many[i] = strings.ToLower(many[i])
	}
	*t = many
	return nil
}

// number also reads numbers in strings, as Google writes 64-bit ones. The booleans
// of draft 4 ("exclusiveMinimum": true) are no numbers and are left out.
type number float64

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(raw []byte) error {
	text := strings.Trim(string(raw), `"`)
	if text == "true" || text == "false" {
		return nil
	}
	v, err := strconv.ParseFloat(text, 64)
	*n = number(v)
	return err
}

type property struct {
	name   string
	schema *schema
}

// properties keep the order of the schema's text.
type properties []property

// UnmarshalJSON implements json.Unmarshaler.
func (p *properties) UnmarshalJSON(raw []byte) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return badRequest("", "properties: want an object")
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		key, ok := name.(string)
		if !ok {
			return badRequest("", "properties: want an object")
		}
		prop := property{name: key, schema: &schema{}}
		if err := dec.Decode(prop.schema); err != nil {
			return err
		}
		*p = append(*p, prop)
	}
	return nil
}

// maxRefs is the number of references that are followed for one value.
const maxRefs = 32

// resolve follows $ref and merges allOf.
func (s *schema) resolve(root *schema) (*schema, error) {
	for range maxRefs {
		if s == nil {
			return &schema{}, nil
		}
		if s.Ref == "" && len(s.AllOf) == 0 {
			return s, nil
		}
		merged := *s
		merged.Ref, merged.AllOf = "", nil
		parts := s.AllOf
		if s.Ref != "" {
			target, err := root.lookup(s.Ref)
			if err != nil {
				return nil, err
			}
			parts = append([]*schema{target}, parts...)
		}
		for _, part := range parts {
			merged = merge(merged, part)
		}
		s = &merged
	}
	return nil, badRequest("", "Invalid schema: more than %d references lead to each other", maxRefs)
}

// lookup finds a JSON pointer such as "#/$defs/Name" (RFC 6901).
func (s *schema) lookup(ref string) (*schema, error) {
	unknown := badRequest("", "Invalid schema: $ref %q leads nowhere; want a pointer such as #/$defs/Name into the same schema", ref)
	pointer, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil, unknown
	}
	if p, err := url.PathUnescape(pointer); err == nil {
		pointer = p
	}
	at := s
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	if pointer == "" {
		parts = nil
	}
	for i := 0; i < len(parts) && at != nil; i++ {
		keyword := parts[i]
		if keyword == "items" {
			at = at.Items
			continue
		}
		if keyword == "additionalProperties" {
			at = at.AdditionalProperties
			continue
		}
		i++
		if i == len(parts) {
			return nil, unknown
		}
		at = at.member(keyword, strings.NewReplacer("~1", "/", "~0", "~").Replace(parts[i]))
	}
	if at == nil {
		return nil, unknown
	}
	return at, nil
}

func (s *schema) member(keyword, name string) *schema {
	var list []*schema
	switch keyword {
	case "$defs":
		return s.Defs[name]
	case "definitions":
		return s.Definitions[name]
	case "properties":
		return s.Properties.get(name)
	case "anyOf":
		list = s.AnyOf
	case "oneOf":
		list = s.OneOf
	case "allOf":
		list = s.AllOf
	case "prefixItems":
		list = s.PrefixItems
	}
	if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(list) {
		return list[i]
	}
	return nil
}

func (p properties) get(name string) *schema {
	for _, prop := range p {
		if prop.name == name {
			return prop.schema
		}
	}
	return nil
}

// merge is the schema that a and b ask for together, as far as one keyword does not
// have to be weighed against another.
func merge(a schema, b *schema) schema {
	if b == nil {
		return a
	}
	pick := func(x, y *number, better func(x, y number) bool) *number {
		if x == nil || y != nil && better(*y, *x) {
			return y
		}
		return x
	}
	more := func(x, y number) bool { return x > y }
	less := func(x, y number) bool { return x < y }
	if a.Ref == "" {
		a.Ref = b.Ref
	}
	if a.Types == nil {
		a.Types = b.Types
	}
	if a.Enum == nil {
		a.Enum = b.Enum
	}
	if a.Const == nil {
		a.Const = b.Const
	}
	if a.AdditionalProperties == nil {
		a.AdditionalProperties = b.AdditionalProperties
	}
	if a.Items == nil {
		a.Items = b.Items
	}
	if a.PrefixItems == nil {
		a.PrefixItems = b.PrefixItems
	}
	if a.AnyOf == nil {
		a.AnyOf = b.AnyOf
	}
	if a.OneOf == nil {
		a.OneOf = b.OneOf
	}
	if a.Pattern == "" {
		a.Pattern = b.Pattern
	}
	if a.Format == "" {
		a.Format = b.Format
	}
	a.Nullable = a.Nullable || b.Nullable
	a.UniqueItems = a.UniqueItems || b.UniqueItems
	a.never = a.never || b.never
	a.AllOf = append(slices.Clone(a.AllOf), b.AllOf...)
	a.Required = append(slices.Clone(a.Required), b.Required...)
	a.Properties = slices.Clone(a.Properties)
	for _, prop := range b.Properties {
		if a.Properties.get(prop.name) == nil {
			a.Properties = append(a.Properties, prop)
		}
	}
	a.Minimum, a.ExclusiveMinimum = pick(a.Minimum, b.Minimum, more), pick(a.ExclusiveMinimum, b.ExclusiveMinimum, more)
	a.Maximum, a.ExclusiveMaximum = pick(a.Maximum, b.Maximum, less), pick(a.ExclusiveMaximum, b.ExclusiveMaximum, less)
	a.MinLength, a.MaxLength = pick(a.MinLength, b.MinLength, more), pick(a.MaxLength, b.MaxLength, less)
	a.MinItems, a.MaxItems = pick(a.MinItems, b.MinItems, more), pick(a.MaxItems, b.MaxItems, less)
	a.MinProperties = pick(a.MinProperties, b.MinProperties, more)
	if a.MultipleOf == nil {
		a.MultipleOf = b.MultipleOf
	}
	return a
}

// kind is the type of value to generate: the first that is not null.
func (s *schema) kind() string {
	for _, t := range s.Types {
		if t != "null" {
			return t
		}
	}
	switch {
	case len(s.Types) > 0:
		return "null"
	case s.Properties != nil || s.Required != nil || s.AdditionalProperties != nil || s.MinProperties != nil:
		return "object"
	case s.Items != nil || s.PrefixItems != nil || s.MinItems != nil:
		return "array"
	case s.Minimum != nil || s.Maximum != nil || s.ExclusiveMinimum != nil || s.ExclusiveMaximum != nil || s.MultipleOf != nil:
		return "number"
	}
	return "string"
}

func (s *schema) nullable() bool {
	return s.Nullable || slices.Contains(s.Types, "null")
}
