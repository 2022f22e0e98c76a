package security_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/agentrt/security"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func rules(t *testing.T, texts ...string) []security.Rule {
	t.Helper()
	var all []security.Rule
	for _, text := range texts {
		r, err := security.ParseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func TestSpecialAddressesAreDenied(t *testing.T) {
	p := security.NewEgressPolicy()
	for addr, what := range map[string]string{
		"127.0.0.1": "loopback", "127.255.255.254": "loopback", "10.1.2.3": "private", "172.16.0.1": "private", "172.31.255.255": "private",
		"192.168.1.1": "private", "169.254.169.254": "metadata", "168.63.129.16": "Azure", "100.64.0.1": "shared", "100.100.100.200": "shared",
		"0.0.0.0": "unspecified", "0.1.2.3": "unspecified", "224.0.0.1": "multicast", "239.255.255.255": "multicast", "255.255.255.255": "reserved",
		"240.0.0.1": "reserved", "192.0.0.192": "protocol", "192.0.2.1": "documentation", "198.18.0.1": "benchmarking", "192.88.99.1": "6to4",
		"::1": "loopback", "::": "unspecified", "fd00:ec2::254": "metadata", "fc00::1": "private", "fd12::1": "private", "fe80::1": "link-local",
		"fe80::1%eth0": "link-local", "::1%lo": "loopback", "fec0::1": "site-local", "ff02::1": "multicast", "::7f00:1": "IPv4-compatible",
		"::ffff:127.0.0.1": "loopback", "::ffff:10.0.0.1": "private", "::ffff:a9fe:a9fe": "metadata", "::ffff:0:7f00:1": "IPv4-translated",
		"64:ff9b::7f00:1": "NAT64", "64:ff9b::a9fe:a9fe": "NAT64", "64:ff9b:1::1": "NAT64", "2002:7f00:1::": "6to4", "2002:a9fe:a9fe::1": "6to4",
		"2001:0:7f00:1::": "Teredo", "2001:db8::1": "documentation", "100::1": "discard",
	} {
		var denied *security.DeniedError
		err := p.CheckAddr("host.test", netip.AddrPortFrom(netip.MustParseAddr(addr), 80))
		if !errors.As(err, &denied) || !strings.Contains(err.Error(), what) || !strings.Contains(err.Error(), "--allow-net") {
			t.Errorf("%s as an address: %v, want %s", addr, err, what)
		}
		if err := p.CheckHost(addr, 80); !errors.As(err, &denied) {
			t.Errorf("%s as a host: %v", addr, err)
		}
	}
	for _, addr := range []string{"1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.255.255", "100.128.0.1", "168.63.129.17", "2606:4700::1111", "::ffff:8.8.8.8", "2a00::1"} {
		if err := p.CheckAddr("host.test", netip.AddrPortFrom(netip.MustParseAddr(addr), 80)); err != nil {
			t.Errorf("%s: %v", addr, err)
		}
	}
	if err := p.CheckAddr("host.test", netip.AddrPort{}); err == nil {
		t.Error("no address is let through")
	}
}

func TestRules(t *testing.T) {
	p := security.NewEgressPolicy()
	closed := p.OnlyAllowed()
	for _, c := range []struct {
		name   string
		policy security.EgressPolicy
		host   string
		addr   string
		ok     bool
	}{
		{"address", p.Allow(rules(t, "10.0.0.1")...), "db.corp", "10.0.0.1:80", true},
		{"address, other", p.Allow(rules(t, "10.0.0.1")...), "db.corp", "10.0.0.2:80", false},
		{"address and port", p.Allow(rules(t, "10.0.0.1:80")...), "db.corp", "10.0.0.1:80", true},
		{"address, other port", p.Allow(rules(t, "10.0.0.1:80")...), "db.corp", "10.0.0.1:81", false},
		{"range and ports", p.Allow(rules(t, "10.0.0.0/8:5000-6000")...), "db.corp", "10.9.9.9:5432", true},
		{"range, port above", p.Allow(rules(t, "10.0.0.0/8:5000-6000")...), "db.corp", "10.9.9.9:6001", false},
		{"IPv6", p.Allow(rules(t, "[::1]:80")...), "db.corp", "[::1]:80", true},
		{"mapped form of an allowed one", p.Allow(rules(t, "127.0.0.1")...), "db.corp", "[::ffff:127.0.0.1]:80", true},
		{"host rule opens no private address", p.Allow(rules(t, "db.corp", "*")...), "db.corp", "10.0.0.1:80", false},
		{"localhost", p.Allow(rules(t, "localhost:80")...), "localhost", "127.0.0.1:80", true},
		{"localhost in IPv6", p.Allow(rules(t, "localhost")...), "LOCALHOST.", "[::1]:80", true},
		{"localhost elsewhere", p.Allow(rules(t, "localhost")...), "localhost", "10.0.0.1:80", false},
		{"localhost by another name", p.Allow(rules(t, "localhost")...), "evil.test", "127.0.0.1:80", false},
		{"any host is not localhost", p.Allow(rules(t, "*")...), "localhost", "127.0.0.1:80", false},
		{"deny wins", p.Allow(rules(t, "10.0.0.0/8")...).Deny(rules(t, "10.0.0.1")...), "db.corp", "10.0.0.1:80", false},
		{"deny beside", p.Allow(rules(t, "10.0.0.0/8")...).Deny(rules(t, "10.0.0.1")...), "db.corp", "10.0.0.2:80", true},
		{"denied port", p.Deny(rules(t, "*:25")...), "mail.test", "8.8.8.8:25", false},
		{"denied domain", p.Deny(rules(t, "*.evil.test")...), "a.b.EVIL.test.", "8.8.8.8:443", false},
		{"denied domain, itself", p.Deny(rules(t, "*.evil.test")...), "evil.test", "8.8.8.8:443", true},
		{"closed", closed, "api.test", "8.8.8.8:443", false},
		{"closed, allowed", closed.Allow(rules(t, "api.test:443")...), "api.test", "8.8.8.8:443", true},
		{"closed, other port", closed.Allow(rules(t, "api.test:443")...), "api.test", "8.8.8.8:80", false},
		{"closed, other host", closed.Allow(rules(t, "api.test")...), "xapi.test", "8.8.8.8:443", false},
		{"closed, domain", closed.Allow(rules(t, "*.api.test")...), "eu.api.test", "8.8.8.8:443", true},
		{"closed, address", closed.Allow(rules(t, "8.8.8.0/24")...), "dns.test", "8.8.8.8:443", true},
		{"closed, other address", closed.Allow(rules(t, "8.8.8.0/24")...), "dns.test", "8.8.9.8:443", false},
	} {
		to := netip.MustParseAddrPort(c.addr)
		err := c.policy.CheckHost(c.host, to.Port())
		if err == nil {
			err = c.policy.CheckAddr(c.host, to)
		}
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// The hint of a denial is a rule that helps.
	for _, addr := range []string{"10.0.0.1:8080", "[fd00::1]:80"} {
		err := p.CheckAddr("x.test", netip.MustParseAddrPort(addr))
		if err == nil {
			t.Fatal(addr)
		}
		_, hint, _ := strings.Cut(err.Error(), "--allow-net ")
		if err := p.Allow(rules(t, hint)...).CheckAddr("x.test", netip.MustParseAddrPort(addr)); err != nil {
			t.Errorf("after following the hint %q: %v", hint, err)
		}
	}
}

func TestPolicyIsImmutable(t *testing.T) {
	base := security.NewEgressPolicy().Allow(rules(t, "10.0.0.1")...)
	left, right := base.Allow(rules(t, "10.0.0.2")...), base.Allow(rules(t, "10.0.0.3")...)
	check := func(p security.EgressPolicy, addr string) bool {
		return p.CheckAddr("x", netip.MustParseAddrPort(addr)) == nil
	}
	if check(base, "10.0.0.2:1") || !check(left, "10.0.0.2:1") || check(left, "10.0.0.3:1") || !check(right, "10.0.0.3:1") {
		t.Error("a copy changed another policy")
	}
}

func TestParseRuleErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "empty",
		"https://api.test/":   "leave out the scheme",
		"api.test:http":       "no port",
		"api.test:0":          "no port",
		"api.test:70000":      "no port",
		"api.test:90-80":      "no port",
		"a*b.test":            "stands alone",
		"*.*.test":            "stands alone",
		"10.0.0.1/8":          "write 10.0.0.0/8",
		"10.0.0.0/40":         "no CIDR",
		"::ffff:10.0.0.0/104": "IPv4 range",
		"[::1":                "not closed",
		"[::1]80":             "only :port",
		":443":                "missing",
		"10.0.0":              "no address",
		"127.1":               "no address",
		"b\u00fccher.test":    "punycode",
		"api test":            "cannot be in a host name",
		"2130706433":          "no address",
	} {
		if _, err := security.ParseRule(text); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "for example") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for _, text := range []string{"*", "*:443", "fd00::/8", "[fd00::/8]:80", "fd00::/8:80", "::1", "[::1]", "10.0.0.0/8:1-2", "a_b.test", "xn--bcher-kva.test"} {
		if r, err := security.ParseRule(text); err != nil || r.String() != text {
			t.Errorf("%q: %v, %v", text, r, err)
		}
	}
}
