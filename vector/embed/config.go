package embed

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// Config says which models there are. The zero value has the providers that
// Registry describes.
type Config struct {
	// Model is what the empty name stands for. Without it the environment variable
	// AGENTRT_EMBED_MODEL counts, else DefaultModel.
	Model string `json:"model"`
	// Providers are servers by the first part of a model's name: 1 to 40 lower-case
	// letters, digits, "-" and "_". They add to those built in, or change them.
	Providers map[string]ProviderConfig `json:"providers"`
	// CacheBytes bounds the cache of vectors in data.db; 128 MiB if 0, no cache if
	// negative.
	CacheBytes int64 `json:"cacheBytes"`
}

// DefaultModel stands for the empty name if nothing else is configured.
const DefaultModel = "openai/text-embedding-3-small"

// ProviderConfig describes a server with OpenAI's API. Fields left out have the
// defaults in brackets; NAME is the provider's name in capitals, "-" as "_".
type ProviderConfig struct {
	// BaseURL is what "/embeddings" is added to, without a key in it [the environment
	// variable NAME_BASE_URL].
	BaseURL string `json:"baseURL"`
	// Key names the secret or environment variable with the key [NAME_API_KEY]. A
	// secret comes first.
	Key string `json:"key"`
	// NoKey lets requests go without one.
	NoKey bool `json:"noKey"`
	// Dimensions are the lengths of the vectors of models, by their names, as far as
	// they are to be checked.
	Dimensions map[string]int `json:"dimensions"`
	// Shortens are models that take the parameter "dimensions" [of OpenAI's:
	// text-embedding-3-small and -large].
	Shortens []string `json:"shortens"`
	// MaxBatch is the largest number of texts of a request [256], MaxBatchTokens
	// their tokens, estimated [100,000].
	MaxBatch       int `json:"maxBatch"`
	MaxBatchTokens int `json:"maxBatchTokens"`
	// RequestsPerMinute and TokensPerMinute are kept to by waiting [no limit].
	RequestsPerMinute int `json:"requestsPerMinute"`
	TokensPerMinute   int `json:"tokensPerMinute"`
	// MaxAttempts of a request that fails temporarily [5].
	MaxAttempts int `json:"maxAttempts"`
}

var providerName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

func validProvider(name string) bool { return len(name) <= 40 && providerName.MatchString(name) }

var builtIn = map[string]ProviderConfig{
	"openai": {BaseURL: "https://api.openai.com/v1", Shortens: []string{"text-embedding-3-small", "text-embedding-3-large"}},
	"ollama": {BaseURL: "http://127.0.0.1:11434/v1", NoKey: true},
}

// ParseConfig reads the JSON form of a Config.
func ParseConfig(text string) (c Config, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, fmt.Errorf("embedding configuration: %w", err)
	}
	return c, c.Check()
}

// Check finds what cannot be right.
func (c Config) Check() error {
	for name, p := range c.Providers {
		wrong := func(format string, args ...any) error {
			return fmt.Errorf("embedding provider %q: %w", name, fmt.Errorf(format, args...))
		}
		if !validProvider(name) || name == hashingName {
			return wrong("the name must be 1 to 40 lower-case letters, digits, \"-\" and \"_\", not %q", hashingName)
		}
		if p.BaseURL != "" {
			if err := checkURL(p.BaseURL); err != nil {
				return wrong("baseURL %w", err)
			}
		}
		if min(p.MaxBatch, p.MaxBatchTokens, p.RequestsPerMinute, p.TokensPerMinute, p.MaxAttempts) < 0 {
			return wrong("limits must not be negative")
		}
		for model, n := range p.Dimensions {
			if n < 1 || n > MaxDimensions {
				return wrong("dimensions of %q are 1 to %d, not %d", model, MaxDimensions, n)
			}
		}
	}
	return nil
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("must be an http or https URL such as https://api.example.com/v1")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("must have no user, query or fragment: keys belong into a secret")
	}
	return nil
}

// merge fills the fields that p leaves out from q.
func (p ProviderConfig) merge(q ProviderConfig) ProviderConfig {
	def(&p.BaseURL, q.BaseURL)
	def(&p.Key, q.Key)
	p.NoKey = p.NoKey || q.NoKey
	if p.Dimensions == nil {
		p.Dimensions = q.Dimensions
	}
	if p.Shortens == nil {
		p.Shortens = q.Shortens
	}
	def(&p.MaxBatch, q.MaxBatch)
	def(&p.MaxBatchTokens, q.MaxBatchTokens)
	def(&p.RequestsPerMinute, q.RequestsPerMinute)
	def(&p.TokensPerMinute, q.TokensPerMinute)
	def(&p.MaxAttempts, q.MaxAttempts)
	return p
}

var defaults = ProviderConfig{MaxBatch: 256, MaxBatchTokens: 100_000, MaxAttempts: 5}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
