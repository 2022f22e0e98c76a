package embed

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/agentrt/agentrt/vector/embed/hashing"
)

const hashingName = "hashing"

// Lookup gives the value of a secret or environment variable; ok is false without one.
type Lookup func(ctx context.Context, name string) (value string, ok bool, err error)

// Registry finds the provider of a model by its name:
//
//	hashing, hashing/512     feature hashing, offline, of 256 or so many dimensions
//	openai/MODEL             https://api.openai.com/v1 or OPENAI_BASE_URL, OPENAI_API_KEY
//	ollama/MODEL             http://127.0.0.1:11434/v1 or OLLAMA_BASE_URL, no key needed
//	NAME/MODEL               a configured provider, else NAME_BASE_URL, NAME_API_KEY
//
// Variables are looked up at each use, so that a changed key counts at once. It is
// safe for concurrent use.
type Registry struct {
	config    Config
	lookup    Lookup
	transport http.RoundTripper

	mu     sync.Mutex
	limits map[string]*limiter // by provider
}

// NewRegistry returns a registry whose providers send through transport, which has
// to enforce the egress policy.
func NewRegistry(config Config, lookup Lookup, transport http.RoundTripper) (*Registry, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	return &Registry{config: config, lookup: lookup, transport: transport, limits: map[string]*limiter{}}, nil
}

// Model is a model that a name stands for.
type Model struct {
	// Name is the full name, Default's if none was given.
	Name string
	// Local models are computed here: without cache, usage and network.
	Local bool
	// Provider sends texts to it.
	Provider Provider

	identity [sha256.Size]byte // of name, server and model, for the cache
}

// Default is what the empty name stands for.
func (r *Registry) Default(ctx context.Context) (string, error) {
	if r.config.Model != "" {
		return r.config.Model, nil
	}
	name, ok, err := r.lookup(ctx, "AGENTRT_EMBED_MODEL")
	if err != nil || !ok || name == "" {
		return DefaultModel, err
	}
	return name, nil
}

// Find returns the model of that name. The error is *Error: ErrModel or ErrKey.
func (r *Registry) Find(ctx context.Context, name string) (Model, error) {
	if name == "" {
		var err error
		if name, err = r.Default(ctx); err != nil {
			return Model{}, err
		}
	}
	provider, model, _ := strings.Cut(name, "/")
	if provider == hashingName {
		return hashingModel(name, model)
	}
	if !validProvider(provider) || model == "" || len(model) > 200 || strings.ContainsFunc(model, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		return Model{}, &Error{Kind: ErrModel, Model: clip(name, 100), Text: "a name is provider/model", Fix: "write for example \"" + DefaultModel + "\", \"ollama/nomic-embed-text\" or \"hashing\""}
	}
	c, err := r.provider(ctx, name, provider)
	if err != nil {
		return Model{}, err
	}
	key, source, err := r.key(ctx, name, provider, c)
	if err != nil {
		return Model{}, err
	}
	return Model{
		Name: name,
		Provider: &openAI{
			name: name, model: model, config: c, key: key, keySource: source,
			shortens: slices.Contains(c.Shortens, model), native: c.Dimensions[model],
			transport: r.transport, limits: r.limiter(provider, c),
		},
		identity: sha256.Sum256([]byte(c.BaseURL + "\n" + name)),
	}, nil
}

func hashingModel(name, dim string) (Model, error) {
	n := hashing.DefaultDim
	if name != hashingName {
		var err error
		if n, err = strconv.Atoi(dim); err != nil || n < 1 || n > MaxDimensions {
			return Model{}, &Error{Kind: ErrModel, Model: clip(name, 100), Text: fmt.Sprintf("%q is no number of dimensions", clip(dim, 40)), Fix: fmt.Sprintf("write hashing/N with N from 1 to %d", MaxDimensions)}
		}
	}
	return Model{Name: name, Local: true, Provider: local{name, n, name != hashingName}}, nil
}

// provider is the configuration with its defaults and what the environment adds.
func (r *Registry) provider(ctx context.Context, name, provider string) (ProviderConfig, error) {
	c, configured := r.config.Providers[provider]
	known, ok := builtIn[provider]
	if c.BaseURL == "" {
		variable := variable(provider, "_BASE_URL")
		value, found, err := r.lookup(ctx, variable)
		if err != nil {
			return c, err
		}
		switch {
		case found && value != "":
			if err := checkURL(value); err != nil {
				return c, &Error{Kind: ErrModel, Model: name, Text: variable + " " + err.Error()}
			}
			c.BaseURL = value
		case ok:
		case configured:
			return c, &Error{Kind: ErrModel, Model: name, Text: fmt.Sprintf("the provider %q has no address", provider), Fix: "configure its baseURL or set " + variable}
		default:
			names := slices.Sorted(maps.Keys(builtIn))
			names = append(names, slices.Sorted(maps.Keys(r.config.Providers))...)
			return c, &Error{Kind: ErrModel, Model: name, Text: fmt.Sprintf("there is no provider %q", provider),
				Fix: fmt.Sprintf("set %s to its address, or use one of: %s, hashing", variable, strings.Join(slices.Compact(names), ", "))}
		}
	}
	c = c.merge(known).merge(defaults)
	def(&c.Key, variable(provider, "_API_KEY"))
	return c, nil
}

func variable(provider, suffix string) string {
	return strings.ToUpper(strings.ReplaceAll(provider, "-", "_")) + suffix
}

func (r *Registry) key(ctx context.Context, name, provider string, c ProviderConfig) (key, source string, err error) {
	key, _, err = r.lookup(ctx, c.Key)
	if err != nil {
		return "", "", &Error{Kind: ErrKey, Model: name, Text: "the secret " + c.Key + " cannot be read", Fix: "see the server's log", Err: err}
	}
	if key = strings.TrimSpace(key); key == "" && !c.NoKey {
		return "", "", &Error{Kind: ErrKey, Model: name, Text: "there is neither a secret nor an environment variable " + c.Key,
			Fix: fmt.Sprintf("set one (\"agentrt secrets set %s\"), configure noKey for %q if it needs none, or use the offline model \"hashing\"", c.Key, provider)}
	}
	return key, c.Key, nil
}

func (r *Registry) limiter(provider string, c ProviderConfig) *limiter {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.limits[provider]
	if l == nil {
		if len(r.limits) >= 1000 { // names come from functions
			clear(r.limits)
		}
		l = newLimiter(c.RequestsPerMinute, c.TokensPerMinute)
		r.limits[provider] = l
	}
	return l
}

// local is feature hashing.
type local struct {
	name  string
	dim   int
	fixed bool // the name says the length
}

func (l local) Embed(ctx context.Context, texts []string, dimensions int) (Result, error) {
	dim := l.dim
	if dimensions != 0 && dimensions != dim {
		if l.fixed {
			return Result{}, wrongDimension(l.name, dim, dimensions, "use the model \"hashing\", which has any length, or a field of that dimension")
		}
		dim = dimensions
	}
	e := hashing.New(dim)
	vectors := make([][]float32, len(texts))
	for k, text := range texts {
		if err := context.Cause(ctx); err != nil {
			return Result{}, err
		}
		vectors[k] = e.Embed(text)
	}
	return Result{Vectors: vectors}, nil
}

func wrongDimension(model string, got, want int, fix string) error {
	return &Error{Kind: ErrDimension, Model: model, Text: fmt.Sprintf("its vectors have %d dimensions, %d are wanted", got, want), Fix: fix}
}

// IsTemporary reports whether the same call may succeed later.
func IsTemporary(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Temporary()
}
