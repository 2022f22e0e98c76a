package security

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// EgressPolicy says which network destinations a function may reach. It is
// immutable: every method returns a changed copy. The zero value, as
// NewEgressPolicy returns it, lets through public addresses and denies all
// special ones: loopback, private, link-local, cloud metadata, multicast, and
// IPv6 forms that embed an IPv4 address.
//
// Deny rules win over allow rules. An address is judged after the name was
// resolved, so that a name cannot stand for an address that is denied. Rules for
// hosts let no special address through, however the name resolves; rules for
// addresses do. The one exception is a rule for localhost or a name below it.
type EgressPolicy struct {
	allow, deny []Rule
	closed      bool
}

// NewEgressPolicy returns the default: public addresses only.
func NewEgressPolicy() EgressPolicy { return EgressPolicy{} }

// Allow adds destinations: special addresses, and hosts or addresses of a policy
// that is OnlyAllowed.
func (p EgressPolicy) Allow(rules ...Rule) EgressPolicy {
	p.allow = append(slices.Clip(p.allow), rules...)
	return p
}

// Deny adds destinations that stay out of reach whatever is allowed.
func (p EgressPolicy) Deny(rules ...Rule) EgressPolicy {
	p.deny = append(slices.Clip(p.deny), rules...)
	return p
}

// OnlyAllowed denies public destinations too unless a rule allows them.
func (p EgressPolicy) OnlyAllowed() EgressPolicy {
	p.closed = true
	return p
}

// CodeEgressDenied is the code of a DeniedError as JavaScript sees it.
const CodeEgressDenied = "ERR_EGRESS_DENIED"

// DeniedError reports a destination that the policy keeps out of reach.
type DeniedError struct {
	// Host and Port are the destination as it was asked for.
	Host string
	Port uint16
	// Addr is the resolved address if that was the reason.
	Addr netip.Addr
	// Reason is the explanation, with what to do about it.
	Reason string
}

// Error names the destination and what to do.
func (e *DeniedError) Error() string { return "egress denied: " + e.Reason }

// Code returns CodeEgressDenied.
func (e *DeniedError) Code() string { return CodeEgressDenied }

// CheckHost judges a destination before it is resolved. A literal address is
// judged in full; a name still needs CheckAddr for what it resolves to.
func (p EgressPolicy) CheckHost(host string, port uint16) error {
	// A name without an allow rule may resolve to an address with one.
	byAddr := slices.ContainsFunc(p.allow, func(r Rule) bool { return r.prefix.IsValid() && r.matchesPort(port) })
	host = normalHost(host)
	if addr, err := netip.ParseAddr(host); err == nil {
		return p.CheckAddr(host, netip.AddrPortFrom(addr, port))
	}
	if r := find(p.deny, func(r Rule) bool { return r.matchesHost(host, port) }); r != nil {
		return denied(host, port, netip.Addr{}, "%s matches the deny rule %q", join(host, port), r)
	}
	if p.closed && !byAddr && !p.allowsHost(host, port) {
		return denied(host, port, netip.Addr{}, "%s is not on the list of allowed hosts; allow it with --allow-net %s", host, join(host, port))
	}
	return nil
}

// CheckAddr judges the address that host resolved to.
func (p EgressPolicy) CheckAddr(host string, to netip.AddrPort) error {
	host = normalHost(host)
	addr, port := plain(to.Addr()), to.Port()
	if !addr.IsValid() {
		return denied(host, port, addr, "%s has no valid address", host)
	}
	if r := find(p.deny, func(r Rule) bool { return r.matchesAddr(addr, port) || r.matchesHost(host, port) }); r != nil {
		return denied(host, port, addr, "%s matches the deny rule %q", describe(host, addr, port), r)
	}
	if find(p.allow, func(r Rule) bool { return r.matchesAddr(addr, port) }) != nil {
		return nil
	}
	target := join(addr.String(), port)
	if what := kind(addr); what != "" {
		if addr.IsLoopback() && p.allowsLocalhost(host, port) {
			return nil
		}
		verb := "resolves to"
		if literal, err := netip.ParseAddr(host); err == nil && plain(literal) == addr {
			verb = "is"
		}
		return denied(host, port, addr, "%s %s the %s address %s; allow it with --allow-net %s", host, verb, what, addr, target)
	}
	if p.closed && !p.allowsHost(host, port) {
		return denied(host, port, addr, "%s is not on the list of allowed hosts; allow it with --allow-net %s", describe(host, addr, port), join(host, port))
	}
	return nil
}

func (p EgressPolicy) allowsHost(host string, port uint16) bool {
	return find(p.allow, func(r Rule) bool { return r.matchesHost(host, port) }) != nil
}

func (p EgressPolicy) allowsLocalhost(host string, port uint16) bool {
	if host != "localhost" && !strings.HasSuffix(host, ".localhost") {
		return false
	}
	return find(p.allow, func(r Rule) bool {
		return (r.host == "localhost" || strings.HasSuffix(r.host, ".localhost")) && r.matchesHost(host, port)
	}) != nil
}

func find(rules []Rule, match func(Rule) bool) *Rule {
	if k := slices.IndexFunc(rules, match); k >= 0 {
		return &rules[k]
	}
	return nil
}

func join(host string, port uint16) string {
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

func describe(host string, addr netip.Addr, port uint16) string {
	if host == "" || host == addr.String() {
		return join(addr.String(), port)
	}
	return fmt.Sprintf("%s (%s)", join(host, port), addr)
}

func denied(host string, port uint16, addr netip.Addr, format string, args ...any) error {
	return &DeniedError{Host: host, Port: port, Addr: addr, Reason: fmt.Sprintf(format, args...)}
}
