package modelserver

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Defaults and limits of faults.
const (
	DefaultHuge        = 10 << 20 // bytes of the huge event's text
	DefaultEndlessLine = 64 << 20 // bytes of the endless line
	MaxFaultBytes      = 64 << 20
	DefaultSlowHeaders = 2 * time.Second
	DefaultRetryAfter  = time.Second
	maxFaults          = 16 // faults of one request
)

type faultKind uint8

const (
	faultStatus faultKind = iota + 1
	faultCut
	faultEnd
	faultReset
	faultStall
	faultError
	faultBadJSON
	faultHuge
	faultEndless
	faultUTF8
	faultFrames
	faultCRLF
	faultComments
	faultSlowHeaders
)

// atToken names the faults that strike after a number of tokens.
var atToken = map[string]faultKind{
	"cut": faultCut, "end": faultEnd, "reset": faultReset, "stall": faultStall, "error": faultError, "bad-json": faultBadJSON,
}

var ofBytes = map[string]faultKind{"huge": faultHuge, "endless-line": faultEndless}

var plain = map[string]faultKind{"utf8": faultUTF8, "frames": faultFrames, "crlf": faultCRLF, "comments": faultComments}

// Fault is one way in which the server misbehaves on purpose; see the package's
// documentation for the list. ParseFaults makes them.
type Fault struct {
	kind   faultKind
	text   string
	at     int // tokens
	status int
	times  int // 0 is always
	wait   time.Duration
	size   int
}

// String is the fault as ParseFaults reads it.
func (f Fault) String() string { return f.text }

// ParseFaults reads faults separated by commas, at most 16, such as "429x2/50ms,crlf".
func ParseFaults(list string) ([]Fault, error) {
	var faults []Fault
	for text := range strings.SplitSeq(list, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		f, err := parseFault(text)
		if err != nil {
			return nil, err
		}
		faults = append(faults, f)
	}
	if len(faults) > maxFaults {
		return nil, fmt.Errorf("%d faults, want at most %d", len(faults), maxFaults)
	}
	return faults, nil
}

func parseFault(text string) (Fault, error) {
	f := Fault{text: text}
	name, value, hasValue := strings.Cut(text, "@")
	if kind := atToken[name]; kind != 0 {
		f.kind = kind
		if !hasValue {
			return f, nil
		}
		k, err := strconv.Atoi(value)
		if err != nil || k < 0 || k > MaxTokens {
			return f, fmt.Errorf("fault %q: want %s@K with K from 0 to %d", text, name, MaxTokens)
		}
		f.at = k
		return f, nil
	}
	if kind := ofBytes[name]; kind != 0 {
		f.kind, f.size = kind, DefaultHuge
		if kind == faultEndless {
			f.size = DefaultEndlessLine
		}
		if !hasValue {
			return f, nil
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > MaxFaultBytes {
			return f, fmt.Errorf("fault %q: want %s@BYTES with 1 to %d bytes", text, name, MaxFaultBytes)
		}
		f.size = n
		return f, nil
	}
	if kind := plain[name]; kind != 0 && !hasValue {
		f.kind = kind
		return f, nil
	}
	if name == "slow-headers" {
		f.kind, f.wait = faultSlowHeaders, DefaultSlowHeaders
		var err error
		if hasValue {
			f.wait, err = parseDelay(name, value)
		}
		return f, err
	}
	return parseStatusFault(f)
}

// parseStatusFault reads STATUS[xTIMES][/WAIT].
func parseStatusFault(f Fault) (Fault, error) {
	rest, wait, hasWait := strings.Cut(f.text, "/")
	status, times, hasTimes := strings.Cut(rest, "x")
	var err error
	if f.status, err = strconv.Atoi(status); err != nil || f.status < 400 || f.status > 599 {
		return f, fmt.Errorf("unknown fault %q: the faults are STATUS, STATUSxTIMES (400 to 599), cut@K, end@K, reset@K, stall@K, error@K, "+
			"bad-json@K, huge, endless-line, utf8, frames, crlf, comments, slow-headers@DURATION", f.text)
	}
	f.kind, f.wait = faultStatus, DefaultRetryAfter
	if hasTimes {
		if f.times, err = strconv.Atoi(times); err != nil || f.times < 1 || f.times > MaxTokens {
			return f, fmt.Errorf("fault %q: want %dxN with N from 1 to %d", f.text, f.status, MaxTokens)
		}
	}
	if hasWait {
		f.wait, err = parseDelay("retry-after", wait)
	}
	return f, err
}

// strike answers with the fault's status if it is still due for the key.
func (x *exchange) strike(f Fault) error {
	if f.times > 0 && x.srv.failures.count(x.failureKey(f)) > f.times {
		return nil
	}
	x.rec.fault(f)
	if f.status == http.StatusTooManyRequests || f.status == http.StatusServiceUnavailable {
		h := x.w.Header()
		h.Set("Retry-After", strconv.Itoa(int((f.wait+time.Second-1)/time.Second)))
		h.Set("Retry-After-Ms", strconv.FormatInt(f.wait.Milliseconds(), 10))
	}
	return &apiError{status: f.status, message: fmt.Sprintf("fault %q was asked for", f.text)}
}

func (x *exchange) failureKey(f Fault) string {
	key := x.opt.key
	if key == "" {
		key = x.apiKey()
	}
	return key + "\x00" + f.text
}

func (o *options) has(kind faultKind) bool {
	for _, f := range o.faults {
		if f.kind == kind {
			return true
		}
	}
	return false
}
