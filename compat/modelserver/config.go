package modelserver

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Limits of what a configuration or a request may ask for.
const (
	MaxTokens  = 1_000_000        // tokens of one answer
	MaxDelay   = 10 * time.Minute // each delay, a stall, and the whole of a non-streamed answer
	MaxBody    = 32 << 20         // bytes of a request's body
	MaxChoices = 128              // n of chat completions, candidateCount of Gemini
)

// Config holds the defaults of a server. The zero value answers at once, in full and
// without faults. Values beyond the limits are cut to them.
type Config struct {
	// Tokens is the number of tokens of each text answer, up to MaxTokens: the text is
	// repeated or cut to fit. 0 keeps the answer's own length.
	Tokens int
	// Delay is the time between two tokens, up to MaxDelay.
	Delay time.Duration
	// FirstDelay is the time before the first token, up to MaxDelay. The headers of a
	// stream are sent ahead of it.
	FirstDelay time.Duration
	// Faults are what ParseFaults returns; they apply to every request that names none.
	Faults []Fault
	// Timestamps adds "sent_ns", the Unix time in nanoseconds at which it was written,
	// to each event of a stream.
	Timestamps bool
	// APIKey, if set, must come with each request but those to /_test/: as
	// "Authorization: Bearer", "x-api-key", "x-goog-api-key" or the query parameter key.
	APIKey string
}

// options are the settings in force for one request.
type options struct {
	tokens            int
	delay, firstDelay time.Duration
	faults            []Fault
	timestamps        bool
	key               string
}

func (c Config) options() options {
	return options{
		tokens:     min(max(c.Tokens, 0), MaxTokens),
		delay:      min(max(c.Delay, 0), MaxDelay),
		firstDelay: min(max(c.FirstDelay, 0), MaxDelay),
		faults:     append([]Fault(nil), c.Faults...),
		timestamps: c.Timestamps,
	}
}

var optionNames = []string{"tokens", "delay", "first-delay", "fault", "timestamps", "key"}

// set changes the option called name.
func (o *options) set(name, value string) error {
	var err error
	switch name {
	case "tokens":
		if o.tokens, err = strconv.Atoi(value); err != nil || o.tokens < 0 || o.tokens > MaxTokens {
			return fmt.Errorf("option tokens=%s: want a whole number from 0 to %d", value, MaxTokens)
		}
	case "delay":
		o.delay, err = parseDelay(name, value)
	case "first-delay":
		o.firstDelay, err = parseDelay(name, value)
	case "fault":
		o.faults, err = ParseFaults(value)
	case "timestamps":
		if o.timestamps, err = strconv.ParseBool(value); err != nil {
			return fmt.Errorf("option timestamps=%s: want true or false", value)
		}
	case "key":
		o.key = value
	default:
		return fmt.Errorf("unknown option %q: the options are %s", name, strings.Join(optionNames, ", "))
	}
	return err
}

// parseDelay reads a Go duration or a bare number of milliseconds.
func parseDelay(name, value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if ms, e := strconv.Atoi(value); e == nil && ms >= 0 && ms <= int(MaxDelay/time.Millisecond) {
		d, err = time.Duration(ms)*time.Millisecond, nil
	}
	if err != nil || d < 0 || d > MaxDelay {
		return 0, fmt.Errorf("option %s=%s: want a duration such as 20ms, from 0 to %s", name, value, MaxDelay)
	}
	return d, nil
}

// optionsFor applies headers, then query parameters, then the model's name.
func (o options) optionsFor(h http.Header, query url.Values, pairs string) (options, error) {
	for _, name := range optionNames {
		if value := h.Get("X-Test-" + name); value != "" {
			if err := o.set(name, value); err != nil {
				return o, fmt.Errorf("header X-Test-%s: %w", name, err)
			}
		}
		if value := query.Get("test-" + name); value != "" {
			if err := o.set(name, value); err != nil {
				return o, fmt.Errorf("query parameter test-%s: %w", name, err)
			}
		}
	}
	for pair := range strings.SplitSeq(pairs, ";") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		name, value, found := strings.Cut(pair, "=")
		if !found && name == "timestamps" {
			value = "true"
		}
		if err := o.set(name, value); err != nil {
			return o, fmt.Errorf("model name: %w", err)
		}
	}
	return o, nil
}
