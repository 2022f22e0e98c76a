package deployment

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseConfig(t *testing.T) {
	for _, s := range []struct {
		name, json, err string
		want            RouteConfig
	}{
		{name: "empty", json: `{}`, want: RouteConfig{Auth: "none"}},
		{name: "all", json: `{"auth":"user","timeout":"5m","cpu":"500ms","memory":"64MB"}`,
			want: RouteConfig{Auth: "user", Timeout: 5 * time.Minute, CPU: 500 * time.Millisecond, Memory: 64 << 20}},
		{name: "memory in bytes", json: `{"memory":16777216}`, want: RouteConfig{Auth: "none", Memory: 16 << 20}},
		{name: "secrets", json: `{"secrets":["A","B"]}`, want: RouteConfig{Auth: "none", Secrets: []string{"A", "B"}}},
		{name: "no secrets", json: `{"secrets":[]}`, want: RouteConfig{Auth: "none", Secrets: []string{}}},
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
		{name: "not there yet", json: `{"rateLimit":"10/s"}`, err: "would protect nothing"},
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
