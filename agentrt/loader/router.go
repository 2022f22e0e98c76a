package loader

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// Route is an HTTP route of a bundle.
type Route struct {
	// Pattern is the path, such as /users/{id}; the package's documentation has its forms.
	Pattern string `json:"pattern"`
	// File is the key of the route's module, such as routes/users/[id].ts.
	File string `json:"file"`
}

// Param is a parameter of a matched route.
type Param struct {
	Name string
	// Value is the decoded segment of a parameter {name}.
	Value string
	// Segments are the decoded segments of a catch-all; nil for {name}.
	Segments []string
}

// Params are the parameters of a matched route in the pattern's order.
type Params []Param

// MarshalJSON writes an object of strings, and arrays of strings for catch-alls.
func (p Params) MarshalJSON() ([]byte, error) {
	object := make(map[string]any, len(p))
	for _, param := range p {
		if param.Segments != nil {
			object[param.Name] = param.Segments
		} else {
			object[param.Name] = param.Value
		}
	}
	return json.Marshal(object)
}

// Router finds the route of a path. It is immutable and may be used from several goroutines.
type Router struct {
	root node
}

// node is what may follow a prefix of segments.
type node struct {
	static   map[string]*node
	dynamic  *node
	param    string // the name of dynamic
	route    *Route
	catchAll *leaf
}

type leaf struct {
	route    *Route
	name     string
	optional bool
}

// NewRouter returns the router of routes. It is an error if two of them match the
// same paths or name the parameter at one place differently; the error names both files.
func NewRouter(routes []Route) (*Router, error) {
	r := new(Router)
	named := map[*node]string{}
	for i := range routes {
		segments, err := parsePattern(routes[i].Pattern)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", routes[i].File, err)
		}
		if err := r.add(&routes[i], segments, named); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// add inserts a route; named has the file that named the parameter of a node.
func (r *Router) add(route *Route, segments []segment, named map[*node]string) error {
	n := &r.root
	for _, s := range segments {
		switch s.kind {
		case static:
			next := n.static[s.text]
			if next == nil {
				if n.static == nil {
					n.static = map[string]*node{}
				}
				next = new(node)
				n.static[s.text] = next
			}
			n = next
		case dynamic:
			if n.dynamic == nil {
				n.dynamic, n.param = new(node), s.text
				named[n.dynamic] = route.File
			} else if n.param != s.text {
				return fmt.Errorf("%s and %s name the parameter at one place differently, [%s] and [%s]: use one name",
					named[n.dynamic], route.File, n.param, s.text)
			}
			n = n.dynamic
		default:
			if n.catchAll != nil {
				return conflict(n.catchAll.route, route)
			}
			n.catchAll = &leaf{route, s.text, s.kind == optionalCatchAll}
			return nil
		}
	}
	if n.route != nil {
		return conflict(n.route, route)
	}
	n.route = route
	return nil
}

func conflict(a, b *Route) error {
	return fmt.Errorf("%s and %s are the same route %s: remove or rename one of them", a.File, b.File, b.Pattern)
}

// Match finds the route of a path as it stands in the URL (url.URL.EscapedPath).
// A static segment takes precedence over a parameter, a parameter over a
// catch-all. Segments are compared and returned decoded; %2F does not separate
// segments. A trailing slash is ignored, an empty segment matches no parameter. A
// path with a malformed escape matches nothing.
func (r *Router) Match(escapedPath string) (*Route, Params, bool) {
	rest := strings.TrimPrefix(escapedPath, "/")
	if len(rest) > 1 {
		rest = strings.TrimSuffix(rest, "/")
	}
	m := matcher{}
	route := m.match(&r.root, rest, rest != "")
	if route == nil {
		return nil, nil, false
	}
	return route, m.params, true
}

type matcher struct {
	params Params
}

// match looks for rest below n; more says that rest has a segment, which may be empty.
func (m *matcher) match(n *node, rest string, more bool) *Route {
	if !more {
		if n.route != nil {
			return n.route
		}
		if n.catchAll != nil && n.catchAll.optional {
			m.params = append(m.params, Param{Name: n.catchAll.name, Segments: []string{}})
			return n.catchAll.route
		}
		return nil
	}
	head, tail, hasTail := strings.Cut(rest, "/")
	text, ok := decode(head)
	if !ok || text == "" {
		return nil
	}
	if next := n.static[text]; next != nil {
		if route := m.match(next, tail, hasTail); route != nil {
			return route
		}
	}
	if n.dynamic != nil {
		mark := len(m.params)
		m.params = append(m.params, Param{Name: n.param, Value: text})
		if route := m.match(n.dynamic, tail, hasTail); route != nil {
			return route
		}
		m.params = m.params[:mark]
	}
	if n.catchAll != nil {
		segments, ok := decodeAll(rest)
		if !ok {
			return nil
		}
		m.params = append(m.params, Param{Name: n.catchAll.name, Segments: segments})
		return n.catchAll.route
	}
	return nil
}

func decode(segment string) (string, bool) {
	if strings.IndexByte(segment, '%') < 0 {
		return segment, true
	}
	text, err := url.PathUnescape(segment)
	return text, err == nil
}

func decodeAll(rest string) ([]string, bool) {
	segments := strings.Split(rest, "/")
	for i, s := range segments {
		var ok bool
		if segments[i], ok = decode(s); !ok {
			return nil, false
		}
	}
	return segments, true
}
