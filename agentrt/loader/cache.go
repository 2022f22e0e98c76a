package loader

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// maxCached bounds the bundles of a cache directory.
	maxCached = 8
	// cacheFormat is the version of what a cache entry contains.
	cacheFormat = 2
	inputsFile  = "inputs.json"
	maxInputs   = 64 << 20
	// abandoned is the age at which an unfinished entry is removed.
	abandoned = time.Hour
)

// cache is a cache directory seen from one functions folder. An entry is a folder
// "KEY.TIME" with what Bundle.Write writes and inputs.json; it appears complete, by renaming.
type cache struct {
	root    string
	dir     string
	options Options
}

// record is the content of inputs.json.
type record struct {
	// Verified is when the inputs were last known to be unchanged.
	Verified time.Time    `json:"verified"`
	Inputs   []Input      `json:"inputs"`
	Warnings []Diagnostic `json:"warnings"`
}

func openCache(dir string, options Options) (*cache, error) {
	if err := os.MkdirAll(options.CacheDir, 0o700); err != nil {
		return nil, fmt.Errorf("the cache directory: %w", err)
	}
	return &cache{options.CacheDir, dir, options}, nil
}

// key depends on everything but the inputs' content.
func (c *cache) key(entry string) (string, error) {
	h := sha256.New()
	options := (&builder{dir: c.dir, options: c.options}).buildOptions()
	options.Plugins, options.Stdin = nil, nil
	fmt.Fprintf(h, "%d %q %q %q %+v %q", cacheFormat, Version(), EsbuildVersion, c.dir, options, entry)
	for _, name := range sortedKeys(c.options.NodeModules) {
		fmt.Fprintf(h, "%q %q ", name, c.options.NodeModules[name])
	}
	if c.options.NodeFS != nil {
		err := fs.WalkDir(c.options.NodeFS, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			content, err := fs.ReadFile(c.options.NodeFS, name)
			fmt.Fprintf(h, "%q %d ", name, len(content))
			h.Write(content)
			return err
		})
		if err != nil {
			return "", fmt.Errorf("reading the shims of Node.js modules: %w", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// find returns the cached bundle, or nil. A damaged entry counts as none.
func (c *cache) find(ctx context.Context, files *layout) *Bundle {
	key, err := c.key(files.entry())
	if err != nil {
		return nil
	}
	for _, e := range c.entries() {
		if !strings.HasPrefix(e.name, key+".") {
			continue
		}
		if b := c.verify(ctx, filepath.Join(c.root, e.name)); b != nil {
			return b
		}
	}
	return nil
}

func (c *cache) verify(ctx context.Context, entry string) *Bundle {
	now := time.Now()
	content, err := readLimited(filepath.Join(entry, inputsFile), maxInputs)
	if err != nil {
		return nil
	}
	var r record
	if json.Unmarshal(content, &r) != nil || len(r.Inputs) == 0 {
		return nil
	}
	changed := false
	for i, in := range r.Inputs {
		if ctx.Err() != nil {
			return nil
		}
		ok, fresh := in.unchanged(c.dir, r.Verified)
		if !ok {
			return nil
		}
		if fresh != nil {
			r.Inputs[i], changed = *fresh, true
		}
	}
	b, err := Read(entry)
	if err != nil {
		return nil
	}
	if changed {
		r.Verified = now
		if content, err := json.Marshal(r); err == nil {
			// Without this the next Load hashes the same files again.
			_ = replaceFile(filepath.Join(entry, inputsFile), content)
		}
	}
	b.Inputs, b.Warnings = r.Inputs, r.Warnings
	return b
}

// save stores b, whose bundling began at start, and removes the oldest entries.
func (c *cache) save(b *Bundle, files *layout, start time.Time) error {
	for _, in := range b.Inputs {
		if !in.ModTime.Before(start) {
			return nil // it may have changed after esbuild read it
		}
	}
	key, err := c.key(files.entry())
	if err != nil {
		return err
	}
	content, err := json.Marshal(record{start, b.Inputs, b.Warnings})
	if err != nil {
		return err
	}
	temporary, err := os.MkdirTemp(c.root, "tmp.*")
	if err == nil {
		err = b.Write(temporary)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(temporary, inputsFile), content, 0o600)
	}
	name := fmt.Sprintf("%s.%d", key, time.Now().UnixNano())
	if err == nil {
		err = os.Rename(temporary, filepath.Join(c.root, name))
	}
	if err == nil {
		err = c.prune()
	}
	if err != nil {
		return fmt.Errorf("caching the bundle: %w", err)
	}
	return nil
}

type cacheEntry struct {
	name string
	time time.Time
}

// entries returns the entries, newest first.
func (c *cache) entries() []cacheEntry {
	list, err := os.ReadDir(c.root)
	if err != nil {
		return nil
	}
	var entries []cacheEntry
	for _, e := range list {
		if info, err := e.Info(); err == nil && e.IsDir() && strings.Contains(e.Name(), ".") {
			entries = append(entries, cacheEntry{e.Name(), info.ModTime()})
		}
	}
	slices.SortFunc(entries, func(a, b cacheEntry) int {
		return cmp.Or(b.time.Compare(a.time), strings.Compare(b.name, a.name))
	})
	return entries
}

// prune removes the entries beyond maxCached and unfinished ones.
func (c *cache) prune() error {
	var errs []error
	kept := 0
	for _, e := range c.entries() {
		if strings.HasPrefix(e.name, "tmp.") {
			if time.Since(e.time) < abandoned {
				continue
			}
		} else if kept++; kept <= maxCached {
			continue
		}
		errs = append(errs, os.RemoveAll(filepath.Join(c.root, e.name)))
	}
	return errors.Join(errs...)
}
