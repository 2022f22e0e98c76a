package pb

import (
	"context"
	"fmt"
	"slices"

	"github.com/agentrt/agentrt/quickjs"
)

// Secrets gives the values of named secrets; ok is false if there is none.
type Secrets interface {
	Lookup(ctx context.Context, name string) (value string, ok bool, err error)
}

type secretsKey struct{}

type allowedSecrets struct {
	Secrets
	allowed []string
}

// WithSecrets returns a context in which pb.secrets finds those of s whose names
// are in allowed; nil allows all. It also works at the top level of modules.
func WithSecrets(ctx context.Context, s Secrets, allowed []string) context.Context {
	return context.WithValue(ctx, secretsKey{}, allowedSecrets{s, allowed})
}

// RegisterSecrets adds the operation of pb.secrets.
//
//	pb.secrets.get sync name -> the value or null
func RegisterSecrets(ops *quickjs.Ops) {
	quickjs.Sync(ops, "pb.secrets.get", func(ctx context.Context, name string) (*string, error) {
		s, ok := ctx.Value(secretsKey{}).(allowedSecrets)
		if !ok || s.Secrets == nil {
			return nil, nil
		}
		if s.allowed != nil && !slices.Contains(s.allowed, name) {
			return nil, &quickjs.HostError{Name: "Error", Code: "ERR_SECRET_NOT_ALLOWED", Status: 403,
				Message: fmt.Sprintf("pb.secrets.get(%q): config.secrets of this route does not list it", name)}
		}
		value, found, err := s.Lookup(ctx, name)
		if err != nil || !found {
			return nil, err
		}
		return &value, nil
	})
}
