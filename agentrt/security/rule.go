package security

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Rule names destinations: a host glob or an address range, and ports. Make one
// with ParseRule.
type Rule struct {
	text   string
	host   string // a glob, if prefix is not valid
	prefix netip.Prefix
	low    uint16 // no ports: any
	high   uint16
}

// ParseRule reads a rule:
//
//	api.openai.com           a host
//	*.example.com            the hosts below it, at any depth, without itself
//	localhost                the host, and what loopback addresses it has
//	*                        every host
//	10.0.0.0/8, fd00::/8     an address range
//	10.0.0.1, ::1            an address
//
// each followed by nothing, by a port ("host:443") or by a range of ports
// ("host:8000-8999"). IPv6 with a port is written in brackets: [::1]:80.
func ParseRule(text string) (Rule, error) {
	r := Rule{text: strings.TrimSpace(text)}
	fail := func(why string, args ...any) (Rule, error) {
		return Rule{}, fmt.Errorf("security: rule %q: %s; write host, *.domain, address or CIDR, optionally with :port, for example \"api.openai.com:443\" or \"10.0.0.0/8:5432\"", text, fmt.Sprintf(why, args...))
	}
	if r.text == "" {
		return fail("it is empty")
	}
	if strings.Contains(r.text, "://") {
		return fail("it is a URL: leave out the scheme and the path")
	}
	name, ports, err := cut(r.text)
	if err != nil {
		return fail("%v", err)
	}
	if ports != "" {
		if r.low, r.high, err = parsePorts(ports); err != nil {
			return fail("%v", err)
		}
	}
	if strings.Contains(name, "/") {
		p, err := netip.ParsePrefix(name)
		if err != nil {
			return fail("%q is no CIDR range", name)
		}
		if p.Addr() != p.Masked().Addr() {
			return fail("%q has bits beyond its prefix: write %v", name, p.Masked())
		}
		if p.Addr().Is4In6() {
			return fail("write the IPv4 range instead of its mapped form")
		}
		r.prefix = p
		return r, nil
	}
	if addr, err := netip.ParseAddr(name); err == nil {
		addr = plain(addr)
		r.prefix = netip.PrefixFrom(addr, addr.BitLen())
		return r, nil
	}
	if r.host, err = parseHost(name); err != nil {
		return fail("%v", err)
	}
	return r, nil
}

// cut splits a name from its ports.
func cut(text string) (name, ports string, err error) {
	if rest, ok := strings.CutPrefix(text, "["); ok {
		name, rest, ok = strings.Cut(rest, "]")
		if !ok {
			return "", "", fmt.Errorf("the bracket is not closed")
		}
		if rest == "" {
			return name, "", nil
		}
		ports, ok = strings.CutPrefix(rest, ":")
		if !ok || ports == "" {
			return "", "", fmt.Errorf("after the bracket only :port may follow")
		}
		return name, ports, nil
	}
	slash := strings.LastIndexByte(text, '/')
	switch colons := strings.Count(text, ":"); {
	case colons == 0:
		return text, "", nil
	case colons == 1:
		name, ports, _ = strings.Cut(text, ":")
	case slash >= 0 && strings.Contains(text[slash:], ":"):
		at := slash + strings.IndexByte(text[slash:], ':')
		name, ports = text[:at], text[at+1:]
	default:
		return text, "", nil
	}
	if name == "" || ports == "" {
		return "", "", fmt.Errorf("name or port is missing (any host is *)")
	}
	return name, ports, nil
}

func parsePorts(text string) (low, high uint16, err error) {
	from, to, ok := strings.Cut(text, "-")
	if !ok {
		to = from
	}
	a, errA := strconv.ParseUint(from, 10, 16)
	b, errB := strconv.ParseUint(to, 10, 16)
	if errA != nil || errB != nil || a == 0 || a > b {
		return 0, 0, fmt.Errorf("%q is no port (1-65535) or range of ports", text)
	}
	return uint16(a), uint16(b), nil
}

func parseHost(name string) (string, error) {
	host := normalHost(name)
	labels := strings.TrimPrefix(host, "*.")
	if host == "*" {
		return host, nil
	}
	if labels == "" || strings.Contains(labels, "*") {
		return "", fmt.Errorf("* stands alone or for the first labels (*.example.com)")
	}
	for _, c := range labels {
		if c > 127 {
			return "", fmt.Errorf("%q is not ASCII: write it in punycode (xn--...)", name)
		}
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.') {
			return "", fmt.Errorf("%q cannot be in a host name", c)
		}
	}
	if strings.Trim(labels, "0123456789.") == "" {
		return "", fmt.Errorf("%q is no address", name)
	}
	return host, nil
}

func normalHost(host string) string { return strings.TrimSuffix(strings.ToLower(host), ".") }

// String returns the rule as it was written.
func (r Rule) String() string { return r.text }

func (r Rule) matchesPort(port uint16) bool { return r.low == 0 || port >= r.low && port <= r.high }

func (r Rule) matchesHost(host string, port uint16) bool {
	if r.prefix.IsValid() || !r.matchesPort(port) {
		return false
	}
	if domain, ok := strings.CutPrefix(r.host, "*"); ok {
		return strings.HasSuffix(host, domain)
	}
	return r.host == host
}

func (r Rule) matchesAddr(addr netip.Addr, port uint16) bool {
	return r.prefix.IsValid() && r.matchesPort(port) && r.prefix.Contains(addr)
}
