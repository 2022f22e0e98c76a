package security_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/agentrt/security"
)

func TestAllowlist(t *testing.T) {
	for _, c := range []struct {
		rules string
		host  string
		port  uint16
		ok    bool
	}{
		{"", "api.test", 443, false},
		{"api.test", "api.test", 80, true},
		{"api.test", "API.test.", 443, true},
		{"api.test", "eu.api.test", 443, false},
		{"api.test", "api.test.evil.test", 443, false},
		{"api.test:443", "api.test", 443, true},
		{"api.test:443", "api.test", 80, false},
		{"api.test:8000-8002", "api.test", 8002, true},
		{"api.test:8000-8002", "api.test", 8003, false},
		{"*.api.test", "eu.api.test", 443, true},
		{"*.api.test", "a.b.api.test", 443, true},
		{"*.api.test", "api.test", 443, false},
		{"*.api.test", "xapi.test", 443, false},
		{"a.test b.test:80", "b.test", 80, true},
		{"*", "api.test", 443, true},
		{"*", "10.0.0.1", 443, true},
		{"*:443", "api.test", 80, false},
		{"10.0.0.0/8", "10.1.2.3", 80, true},
		{"10.0.0.0/8", "::ffff:10.1.2.3", 80, true},
		{"10.0.0.0/8:80", "10.1.2.3", 81, false},
		{"10.0.0.0/8", "db.test", 80, false},
		{"::1", "::1", 80, true},
	} {
		list, err := security.ParseAllowlist(strings.Fields(c.rules))
		if err != nil {
			t.Errorf("%q: %v", c.rules, err)
			continue
		}
		err = list.Check(c.host, c.port)
		if denied, ok := errors.AsType[*security.DeniedError](err); (err == nil) != c.ok || !c.ok && (!ok || denied.Code() != "ERR_EGRESS_DENIED") {
			t.Errorf("[%s] %s:%d: %v", c.rules, c.host, c.port, err)
		}
	}
	for rule, want := range map[string]string{
		"https://api.test/v1": "leave out the scheme",
		"":                    "it is empty",
		"api.*.test":          "* stands alone",
		"api.test:0":          "is no port",
		"10.0.0.1/8":          "bits beyond its prefix",
		"grüße.test":          "punycode",
	} {
		if _, err := security.ParseAllowlist([]string{"ok.test", rule}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", rule, err, want)
		}
	}
	var many []string
	for k := range security.MaxAllowed + 1 {
		many = append(many, fmt.Sprintf("h%d.test", k))
	}
	if _, err := security.ParseAllowlist(many); err == nil || !strings.Contains(err.Error(), "at most 100 rules") {
		t.Errorf("too many: %v", err)
	}
	if _, err := security.ParseAllowlist(many[1:]); err != nil {
		t.Error(err)
	}
}
