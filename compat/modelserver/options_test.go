package modelserver

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestOptionsComeFromConfigHeaderQueryAndModel(t *testing.T) {
	base := Config{Tokens: 1, Delay: time.Millisecond}
	cases := []struct {
		header, query, model string
		tokens               int
		delay                time.Duration
	}{
		{"", "", "", 1, time.Millisecond},
		{"2", "", "", 2, time.Millisecond},
		{"2", "test-tokens=3", "", 3, time.Millisecond},
		{"2", "test-tokens=3", "tokens=4;delay=20", 4, 20 * time.Millisecond},
		{"", "test-delay=1s", " tokens=0 ; ", 0, time.Second},
	}
	for _, c := range cases {
		h := http.Header{}
		if c.header != "" {
			h.Set("X-Test-Tokens", c.header)
		}
		q, _ := url.ParseQuery(c.query)
		o, err := base.options().optionsFor(h, q, c.model)
		if err != nil || o.tokens != c.tokens || o.delay != c.delay {
			t.Errorf("%+v: tokens %d, delay %s, %v", c, o.tokens, o.delay, err)
		}
	}
}

func TestConfigIsCutToTheLimits(t *testing.T) {
	o := Config{Tokens: MaxTokens + 1, Delay: time.Hour, FirstDelay: -1}.options()
	if o.tokens != MaxTokens || o.delay != MaxDelay || o.firstDelay != 0 {
		t.Errorf("%+v", o)
	}
}

func TestParseFaults(t *testing.T) {
	good := map[string]Fault{
		"429":               {kind: faultStatus, status: 429, wait: time.Second},
		"429x2":             {kind: faultStatus, status: 429, times: 2, wait: time.Second},
		"503x1/50ms":        {kind: faultStatus, status: 503, times: 1, wait: 50 * time.Millisecond},
		"cut@5":             {kind: faultCut, at: 5},
		"cut":               {kind: faultCut},
		"end@0":             {kind: faultEnd},
		"huge":              {kind: faultHuge, size: DefaultHuge},
		"endless-line@1000": {kind: faultEndless, size: 1000},
		"slow-headers":      {kind: faultSlowHeaders, wait: DefaultSlowHeaders},
		"slow-headers@5ms":  {kind: faultSlowHeaders, wait: 5 * time.Millisecond},
		"crlf":              {kind: faultCRLF},
	}
	for text, want := range good {
		want.text = text
		if got, err := ParseFaults(" " + text + " ,"); err != nil || len(got) != 1 || got[0] != want || got[0].String() != text {
			t.Errorf("%s: %+v %v", text, got, err)
		}
	}
	bad := []string{"200", "600", "429x0", "429xx", "429/1h", "cut@-1", "cut@x", "cut@1000001", "huge@0", "huge@67108865", "crlf@1", "slow-headers@x", "nothing", strings.Repeat("crlf,", 17)}
	for _, text := range bad {
		if got, err := ParseFaults(text); err == nil {
			t.Errorf("%s: %+v", text, got)
		}
	}
}
