package deployment

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/agentrt/agentrt/agentrt/security"
)

func allowlist(t *testing.T, rules ...string) *security.Allowlist {
	t.Helper()
	list, err := security.ParseAllowlist(rules)
	if err != nil {
		t.Fatal(err)
	}
	return &list
}

func TestParseConfig(t *testing.T) {
	for _, s := range []struct {
		name, json, err string
		want            RouteConfig
	}{
		{name: "empty", json: `{}`, want: RouteConfig{Auth: "none"}},
		{name: "all", json: `{"auth":"user","timeout":"5m","cpu":"500ms","memory":"64MB"}`,
			want: RouteConfig{Auth: "user", Timeout: 5 * time.Minute, CPU: 500 * time.Millisecond, Memory: 64 << 20}},
		{name: "memory in bytes", json: `{"memory":16777216}`, want: RouteConfig{Auth: "none", Memory: 16 << 20}},
		{name: "secrets", json: `{"secrets":["A","B"]}`, want: RouteConfig{Auth: "none", Access: Access{Secrets: []string{"A", "B"}}}},
		{name: "no secrets", json: `{"secrets":[]}`, want: RouteConfig{Auth: "none", Access: Access{Secrets: []string{}}}},
		{name: "secrets that are no array", json: `{"secrets":"A"}`, err: `config.secrets: want an array of names`},
		{name: "secrets that are null", json: `{"secrets":null}`, err: `config.secrets: want an array of names`},
		{name: "no object", json: `[1]`, err: "must be an object"},
		{name: "empty auth", json: `{"auth":""}`, err: "config.auth"},
		{name: "auth of another type", json: `{"auth":true}`, err: "not true"},
		{name: "timeout as a number", json: `{"timeout":5}`, err: `such as "500ms"`},
		{name: "negative timeout", json: `{"timeout":"-1s"}`, err: "positive duration"},
		{name: "too little memory", json: `{"memory":"1MB"}`, err: "at least 8 MB"},
		{name: "too much memory", json: `{"memory":"5000MB"}`, err: "want a size"},
		{name: "a typing error", json: `{"timout":"5m"}`, err: "config.timout is unknown"},
		{name: "net", json: `{"net":["api.test:443"]}`, want: RouteConfig{Auth: "none", Access: Access{Net: allowlist(t, "api.test:443")}}},
		{name: "no net", json: `{"net":[]}`, want: RouteConfig{Auth: "none", Access: Access{Net: allowlist(t)}}},
		{name: "net that is no array", json: `{"net":"api.test"}`, err: `config.net: want an array of destinations`},
		{name: "net that is null", json: `{"net":null}`, err: `config.net: want an array of destinations`},
		{name: "net with a URL", json: `{"net":["https://api.test"]}`, err: `it is a URL: leave out the scheme`},
		{name: "rate by address", json: `{"rateLimit":{"requests":20,"per":"1m"}}`, want: RouteConfig{Auth: "none", RateLimit: &RateLimit{Requests: 20, Window: time.Minute}}},
		{name: "rate by user", json: `{"rateLimit":{"requests":1,"per":"24h","by":"user"}}`, want: RouteConfig{Auth: "none", RateLimit: &RateLimit{Requests: 1, Window: 24 * time.Hour, ByUser: true}}},
		{name: "rate as text", json: `{"rateLimit":"10/s"}`, err: `config.rateLimit: want an object, not "10/s"; write { requests: 20`},
		{name: "rate of nothing", json: `{"rateLimit":null}`, err: `want an object, not null`},
		{name: "rate of no requests", json: `{"rateLimit":{"requests":0,"per":"1m"}}`, err: `requests is an integer from 1 to 1000000, not 0`},
		{name: "rate of half a request", json: `{"rateLimit":{"requests":1.5,"per":"1m"}}`, err: `not 1.5`},
		{name: "rate without a time", json: `{"rateLimit":{"requests":5}}`, err: `requests and per are needed`},
		{name: "rate per millisecond", json: `{"rateLimit":{"requests":5,"per":"1ms"}}`, err: `per is a duration from "1s" to "24h"`},
		{name: "rate by something else", json: `{"rateLimit":{"requests":5,"per":"1m","by":"cookie"}}`, err: `by is "ip" or "user", not "cookie"`},
		{name: "rate with a typing error", json: `{"rateLimit":{"request":5,"per":"1m"}}`, err: `"request" is unknown`},
	} {
		t.Run(s.name, func(t *testing.T) {
			got, err := parseConfig([]byte(s.json))
			switch {
			case s.err == "" && (err != nil || !reflect.DeepEqual(got, s.want)):
				t.Errorf("got %+v, %v", got, err)
			case s.err != "" && (err == nil || !strings.Contains(err.Error(), s.err)):
				t.Errorf("error %v, want %q", err, s.err)
			}
		})
	}
}
