package security

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// MaxAllowed bounds the rules of an Allowlist.
const MaxAllowed = 100

// Allowlist names the only destinations that one function may ask for. It narrows
// a Transport, see Restrict, and opens nothing that the transport's policy denies.
// The zero value allows none.
type Allowlist struct{ rules []Rule }

// ParseAllowlist reads rules as ParseRule does, at most MaxAllowed.
func ParseAllowlist(texts []string) (Allowlist, error) {
	if len(texts) > MaxAllowed {
		return Allowlist{}, fmt.Errorf("at most %d rules, not %d", MaxAllowed, len(texts))
	}
	var l Allowlist
	for _, text := range texts {
		r, err := ParseRule(text)
		if err != nil {
			return Allowlist{}, err
		}
		l.rules = append(l.rules, r)
	}
	return l, nil
}

// Check judges a destination as it was asked for: rules for hosts match names,
// rules for addresses match literal addresses, and "*" matches both. Its error is
// a *DeniedError.
func (l Allowlist) Check(host string, port uint16) error {
	host = normalHost(host)
	addr, err := netip.ParseAddr(host)
	literal := err == nil
	if literal {
		addr = plain(addr)
	}
	if slices.ContainsFunc(l.rules, func(r Rule) bool {
		if literal && r.host != "*" {
			return r.matchesAddr(addr, port)
		}
		return r.matchesHost(host, port)
	}) {
		return nil
	}
	return denied(host, port, addr, "%s is not among the destinations that the function's config.net lists (%s); add %q to it", join(host, port), l, join(host, port))
}

// String lists the rules.
func (l Allowlist) String() string {
	if len(l.rules) == 0 {
		return "none"
	}
	texts := make([]string, len(l.rules))
	for k, r := range l.rules {
		texts[k] = r.text
	}
	return strings.Join(texts, ", ")
}
