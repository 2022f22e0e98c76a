// Package secrets keeps named texts, such as API keys, encrypted in PocketBase's
// data.db and decrypted in memory.
//
// Each is encrypted with AES-256-GCM (NIST SP 800-38D) with its name as additional
// data, so that rows cannot be exchanged. The key comes from outside of the data:
// 32 bytes, or a passphrase from which PBKDF2-HMAC-SHA256 with 600,000 iterations
// and a random salt makes them. A known text under the same key tells a wrong key.
package secrets

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/pocketbase/pocketbase/core"
)

// Limits.
const (
	// MaxSecrets is how many there may be.
	MaxSecrets = 1000
	// MaxValue is the largest value, in bytes of UTF-8.
	MaxValue = 64 << 10
	// MinRedacted is the shortest value that Redact replaces, in bytes.
	MinRedacted = 6
)

var (
	// ErrNoKey reports that there are secrets, or should be, but no key.
	ErrNoKey = errors.New("secrets need a key: set AGENTRT_SECRETS_KEY (\"agentrt secrets keygen\" prints a new one)")
	// ErrWrongKey reports that the secrets were encrypted with another key.
	ErrWrongKey = errors.New("AGENTRT_SECRETS_KEY is not the key that the secrets were encrypted with: start with the former key, or change it with \"agentrt secrets rotate\"")
	// ErrNotFound reports that there is no secret of that name.
	ErrNotFound = errors.New("there is no such secret")
	// ErrInvalid reports a name, value or number of secrets beyond the limits.
	ErrInvalid = errors.New("invalid secret")
)

var namePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// CheckName returns ErrInvalid for what cannot be a name: a letter or "_", then up
// to 127 letters, digits, "_", "." and "-".
func CheckName(name string) error {
	if len(name) > 128 || !namePattern.MatchString(name) {
		return fmt.Errorf("%w: the name %q must be a letter or \"_\" and up to 127 letters, digits, \"_\", \".\", \"-\"", ErrInvalid, name)
	}
	return nil
}

// Info describes a secret without its value.
type Info struct {
	Name    string    `json:"name"`
	Updated time.Time `json:"updated"`
}

// Vault holds the secrets of one app. It may be used from several goroutines.
type Vault struct {
	app    core.App
	key    string
	opened chan struct{}

	write   sync.Mutex // one change or reading at a time
	mu      sync.RWMutex
	err     error // why Open failed
	values  map[string]string
	redact  *strings.Replacer
	row     keyRow
	sealer  sealer // for row
	started bool
}

// New returns a vault that is not open. key is the text of AGENTRT_SECRETS_KEY and
// may be empty as long as there are no secrets.
func New(app core.App, key string) *Vault {
	return &Vault{app: app, key: strings.TrimSpace(key), opened: make(chan struct{})}
}

// Open reads and decrypts all secrets. The error is ErrNoKey or ErrWrongKey if the
// key does not fit them. Lookup waits for it.
func (v *Vault) Open(ctx context.Context) error {
	v.write.Lock()
	defer v.write.Unlock()
	if v.started {
		return errors.New("secrets: opened before")
	}
	v.started = true
	err := create(ctx, v.app)
	if err == nil {
		err = v.read(ctx)
	}
	v.mu.Lock()
	v.err = wrap(err)
	v.mu.Unlock()
	close(v.opened)
	return wrap(err)
}

// Refresh reads the secrets again if another process changed them, and reports
// whether it did so. After an error the former values stay.
func (v *Vault) Refresh(ctx context.Context) (changed bool, err error) {
	v.write.Lock()
	defer v.write.Unlock()
	row, err := readKey(ctx, v.app)
	if err != nil || row.revision == v.row.revision {
		return false, wrap(err)
	}
	if err := v.read(ctx); err != nil {
		return false, wrap(err)
	}
	return true, nil
}

// read decrypts what the database holds, in one view of it. The caller holds
// v.write.
func (v *Vault) read(ctx context.Context) error {
	var row keyRow
	var all []sealedRow
	err := v.app.RunInTransaction(func(tx core.App) (err error) {
		if row, err = readKey(ctx, tx); err != nil {
			return err
		}
		all, err = readAll(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	s, err := v.sealerFor(row)
	if len(all) == 0 && errors.Is(err, ErrNoKey) {
		err = nil
	}
	if errors.Is(err, ErrNoKey) {
		return fmt.Errorf("there are %d: %w", len(all), err)
	}
	if err != nil {
		return err
	}
	values := map[string]string{}
	for _, r := range all {
		if values[r.name], err = s.open(r.sealed, forSecret+r.name); err != nil {
			return fmt.Errorf("the secret %q is damaged: restore a backup, or delete its row in _agentrt_secrets and set it again: %w", r.name, err)
		}
	}
	v.take(row, s, values)
	return nil
}

// sealerFor returns what encrypts under row, after checking that the key fits.
func (v *Vault) sealerFor(row keyRow) (s sealer, err error) {
	if v.key == "" {
		return s, ErrNoKey
	}
	if v.sealer.aead != nil && slices.Equal(row.salt, v.row.salt) && slices.Equal(row.check, v.row.check) {
		return v.sealer, nil
	}
	key, err := parseKey(v.key)
	if err != nil {
		return s, err
	}
	if row.check == nil {
		return s, nil
	}
	if s, err = key.sealer(row.salt); err != nil {
		return s, err
	}
	if _, err := s.open(row.check, forCheck); err != nil {
		return s, ErrWrongKey
	}
	return s, nil
}

func (v *Vault) take(row keyRow, s sealer, values map[string]string) {
	redact := replacer(values)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.row, v.sealer, v.values, v.redact = row, s, values, redact
}

// newKeyRow describes a key that no secret was encrypted with yet.
func newKeyRow(text string, revision int64) (row keyRow, s sealer, err error) {
	key, err := parseKey(text)
	if err != nil {
		return row, s, err
	}
	row = keyRow{salt: make([]byte, saltSize), revision: revision}
	rand.Read(row.salt)
	if s, err = key.sealer(row.salt); err != nil {
		return row, s, err
	}
	row.check = s.seal(forCheck, forCheck)
	return row, s, nil
}

// change runs f in a transaction with the key row as it is now, counts the
// revision and takes over the values that f leaves.
func (v *Vault) change(ctx context.Context, f func(tx core.App, s *sealer, row *keyRow, values map[string]string) error) error {
	v.write.Lock()
	defer v.write.Unlock()
	if !v.started {
		return errors.New("secrets: not open")
	}
	// What another process has changed in between counts.
	if err := v.read(ctx); err != nil {
		return wrap(err)
	}
	row, s, values := v.row, v.sealer, maps.Clone(v.values)
	if row.check == nil {
		if v.key == "" {
			return ErrNoKey
		}
		var err error
		if row, s, err = newKeyRow(v.key, row.revision); err != nil {
			return wrap(err)
		}
	}
	err := v.app.RunInTransaction(func(tx core.App) error {
		now, err := readKey(ctx, tx)
		if err != nil {
			return err
		}
		if now.revision != row.revision {
			return errors.New("the secrets were changed at the same time: try again")
		}
		row.revision++
		if err := f(tx, &s, &row, values); err != nil {
			return err
		}
		return writeKey(ctx, tx, row)
	})
	if err != nil {
		return wrap(err)
	}
	v.take(row, s, values)
	return nil
}

// Set keeps value, 1 byte to 64 KiB of UTF-8, under name.
func (v *Vault) Set(ctx context.Context, name, value string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if value == "" || len(value) > MaxValue || !utf8.ValidString(value) {
		return fmt.Errorf("%w: the value of %s must have 1 to %d bytes of UTF-8, not %d bytes", ErrInvalid, name, MaxValue, len(value))
	}
	if v.key == "" {
		return ErrNoKey
	}
	return v.change(ctx, func(tx core.App, s *sealer, _ *keyRow, values map[string]string) error {
		if _, known := values[name]; !known && len(values) >= MaxSecrets {
			return fmt.Errorf("%w: there are %d secrets, the limit", ErrInvalid, MaxSecrets)
		}
		values[name] = value
		return write(ctx, tx, name, s.seal(value, forSecret+name))
	})
}

// Delete removes the secret of that name; ErrNotFound if there is none.
func (v *Vault) Delete(ctx context.Context, name string) error {
	return v.change(ctx, func(tx core.App, _ *sealer, _ *keyRow, values map[string]string) error {
		delete(values, name)
		return remove(ctx, tx, name)
	})
}

// Rotate encrypts all secrets under a new key, which the vault uses from now on.
// The next start needs it in AGENTRT_SECRETS_KEY.
func (v *Vault) Rotate(ctx context.Context, key string) error {
	key = strings.TrimSpace(key)
	if key == "" {
		return fmt.Errorf("%w: the new key is empty", ErrInvalid)
	}
	next, s, err := newKeyRow(key, 0)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	err = v.change(ctx, func(tx core.App, sealer *sealer, row *keyRow, values map[string]string) error {
		row.salt, row.check, *sealer = next.salt, next.check, s
		for name, value := range values {
			if err := reseal(ctx, tx, name, s.seal(value, forSecret+name)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		v.write.Lock()
		defer v.write.Unlock()
		v.key = key
	}
	return err
}

// List returns the names in their order.
func (v *Vault) List(ctx context.Context) ([]Info, error) {
	all, err := readAll(ctx, v.app)
	if err != nil {
		return nil, wrap(err)
	}
	infos := make([]Info, len(all))
	for k, r := range all {
		infos[k] = Info{r.name, time.UnixMilli(r.updated).UTC()}
	}
	return infos, nil
}

// Lookup returns the value of a secret, false if there is none. It waits for Open.
func (v *Vault) Lookup(ctx context.Context, name string) (value string, ok bool, err error) {
	select {
	case <-v.opened:
	case <-ctx.Done():
		return "", false, context.Cause(ctx)
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.err != nil {
		return "", false, v.err
	}
	value, ok = v.values[name]
	return value, ok, nil
}

// Redact replaces the values of secrets, as far as they have at least MinRedacted
// bytes, by "[secret NAME]". It finds them as they are, not in another encoding.
func (v *Vault) Redact(text string) string {
	v.mu.RLock()
	redact := v.redact
	v.mu.RUnlock()
	if redact == nil {
		return text
	}
	return redact.Replace(text)
}

// replacer prefers the longest value where several start at the same place.
func replacer(values map[string]string) *strings.Replacer {
	names := slices.SortedFunc(maps.Keys(values), func(a, b string) int {
		if d := len(values[b]) - len(values[a]); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	var pairs []string
	for _, name := range names {
		if len(values[name]) >= MinRedacted {
			pairs = append(pairs, values[name], "[secret "+name+"]")
		}
	}
	if pairs == nil {
		return nil
	}
	return strings.NewReplacer(pairs...)
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("secrets: %w", err)
}
