package loader

import (
	"fmt"
	"path"
	"strings"
)

type segmentKind uint8

const (
	static segmentKind = iota
	dynamic
	catchAll
	optionalCatchAll
)

// segment is one part of a route's path; text is the literal or the parameter.
type segment struct {
	kind segmentKind
	text string
}

// parseRoute reads the segments of a file below src/routes.
func parseRoute(file string) ([]segment, error) {
	name := strings.TrimSuffix(file, path.Ext(file))
	if name == "index" {
		name = ""
	}
	name = strings.TrimSuffix(name, "/index")
	if name == "" {
		return nil, nil
	}
	var segments []segment
	seen := map[string]bool{}
	for part := range strings.SplitSeq(name, "/") {
		s, err := parseSegment(part)
		if err != nil {
			return nil, err
		}
		if n := len(segments); n > 0 && segments[n-1].kind >= catchAll {
			return nil, fmt.Errorf("a catch-all segment must be the last one of a route")
		}
		if s.kind != static {
			if seen[s.text] {
				return nil, fmt.Errorf("the parameter %q occurs twice", s.text)
			}
			seen[s.text] = true
		}
		segments = append(segments, s)
	}
	return segments, nil
}

func parseSegment(part string) (segment, error) {
	inner, bracketed := part, false
	kind := static
	if strings.HasPrefix(part, "[") && strings.HasSuffix(part, "]") {
		inner, bracketed, kind = part[1:len(part)-1], true, dynamic
		if strings.HasPrefix(inner, "[") && strings.HasSuffix(inner, "]") {
			inner, kind = inner[1:len(inner)-1], optionalCatchAll
			if !strings.HasPrefix(inner, "...") {
				return segment{}, fmt.Errorf("cannot read the segment %q: an optional segment is a catch-all, [[...name]]", part)
			}
		}
		if name, ok := strings.CutPrefix(inner, "..."); ok {
			inner, kind = name, max(kind, catchAll)
		}
	}
	if strings.ContainsAny(inner, "[]{}") {
		return segment{}, fmt.Errorf("cannot read the segment %q: a parameter is a whole segment, [name], [...name] or [[...name]]", part)
	}
	if bracketed && !isIdentifier(inner) {
		return segment{}, fmt.Errorf("cannot read the segment %q: a parameter's name consists of letters, digits, _ and -, and starts with no digit", part)
	}
	return segment{kind, inner}, nil
}

func isIdentifier(s string) bool {
	for i, c := range []byte(s) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_'
		if !letter && (i == 0 || c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}

// formatPattern writes segments as a pattern.
func formatPattern(segments []segment) string {
	if len(segments) == 0 {
		return "/"
	}
	var b strings.Builder
	for _, s := range segments {
		b.WriteByte('/')
		switch s.kind {
		case static:
			b.WriteString(s.text)
		case dynamic:
			b.WriteString("{" + s.text + "}")
		case catchAll:
			b.WriteString("{" + s.text + "...}")
		case optionalCatchAll:
			b.WriteString("{" + s.text + "...?}")
		}
	}
	return b.String()
}

// parsePattern reads what formatPattern wrote.
func parsePattern(pattern string) ([]segment, error) {
	rest, ok := strings.CutPrefix(pattern, "/")
	if !ok {
		return nil, fmt.Errorf("the pattern %q does not start with /", pattern)
	}
	if rest == "" {
		return nil, nil
	}
	var segments []segment
	for part := range strings.SplitSeq(rest, "/") {
		s := segment{static, part}
		if strings.HasPrefix(part, "{") && strings.HasSuffix(part, "}") {
			s = segment{dynamic, part[1 : len(part)-1]}
			if name, ok := strings.CutSuffix(s.text, "...?"); ok {
				s = segment{optionalCatchAll, name}
			} else if name, ok := strings.CutSuffix(s.text, "..."); ok {
				s = segment{catchAll, name}
			}
			if !isIdentifier(s.text) {
				return nil, fmt.Errorf("the pattern %q has a malformed parameter", pattern)
			}
		}
		if n := len(segments); n > 0 && segments[n-1].kind >= catchAll || s.text == "" {
			return nil, fmt.Errorf("the pattern %q is malformed", pattern)
		}
		segments = append(segments, s)
	}
	return segments, nil
}
