package quickjs

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/agentrt/agentrt/quickjs/internal/cow"
)

// A cache directory holds
//
//	key                        32 random bytes, if the configuration has no key
//	module-<hash>/code/        machine code, wazero's own format
//	module-<hash>/<hash>.image images: their HMAC-SHA256, size, shared, cow.Write
//
// One module-… per version of this package; the least recently started go first.
type cache struct{ dir string }

const (
	maxModules = 4  // directories of module versions, 10 MB each
	maxImages  = 16 // files, each at most of the memory limit
	keySize    = 32
)

// openCache prepares the directory and removes what older versions left in it.
func openCache(dir string) (*cache, error) {
	c := &cache{moduleDir(dir)}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return nil, fmt.Errorf("quickjs: cache directory: %w", err)
	}
	now := time.Now()
	_ = os.Chtimes(c.dir, now, now)
	prune(dir, "module-*", maxModules)
	for _, pattern := range []string{"tmp-*", "*/tmp-*"} {
		removeOld(filepath.Join(dir, pattern))
	}
	return c, nil
}

// removeOld removes what a process that crashed an hour ago was writing.
func removeOld(pattern string) {
	paths, _ := filepath.Glob(pattern)
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil && time.Since(info.ModTime()) > time.Hour {
			_ = os.RemoveAll(p)
		}
	}
}

func moduleDir(dir string) string {
	hash := moduleHash()
	return filepath.Join(dir, "module-"+hex.EncodeToString(hash[:8]))
}

// prune keeps the newest entries that match pattern. What cannot be removed
// stays: the cache is an optimisation.
func prune(dir, pattern string, keep int) {
	paths, _ := filepath.Glob(filepath.Join(dir, pattern))
	if len(paths) <= keep {
		return
	}
	used := map[string]time.Time{}
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil {
			used[p] = info.ModTime()
		}
	}
	slices.SortFunc(paths, func(a, b string) int { return used[b].Compare(used[a]) })
	for _, p := range paths[keep:] {
		_ = os.RemoveAll(p)
	}
}

// cacheKey returns the key kept in dir; it makes one if there is none.
func cacheKey(dir string) ([]byte, error) {
	path := filepath.Join(dir, "key")
	for range 2 {
		key, err := os.ReadFile(path)
		if err == nil && len(key) == keySize {
			return key, nil
		}
		if err == nil {
			err = os.Remove(path)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("quickjs: key of the cache directory: %w", err)
		}
		key = make([]byte, keySize)
		rand.Read(key)
		// Whoever comes first makes the key; the others read it.
		err = writeFile(path, linkOrRename, func(w io.Writer) error { _, err := w.Write(key); return err })
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("quickjs: key of the cache directory: %w", err)
		}
	}
	return nil, fmt.Errorf("quickjs: the key of the cache directory cannot be read: remove %s", path)
}

// linkOrRename fails with fs.ErrExist if there is a file at to, except on file
// systems without links.
func linkOrRename(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Rename(from, to)
}

// writeFile writes a file, readable by this user only, that appears under path
// complete or not at all, by way of place.
func writeFile(path string, place func(from, to string) error, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	w := bufio.NewWriterSize(f, 256<<10)
	if err := errors.Join(write(w), w.Flush(), f.Close()); err != nil {
		return err
	}
	return place(f.Name(), path)
}

// imageMAC authenticates an image together with everything of this engine that
// its content depends on, and with the caller's key.
func (e *Engine) imageMAC(key []byte) hash.Hash {
	mac := hmac.New(sha256.New, e.config.bytecodeKey)
	module := moduleHash()
	c := &e.config
	fmt.Fprintf(mac, "agentrt-image-1\n%x\n%d %d %d\n%d\n", module, c.memoryLimit, c.headroom, c.gcSlack, len(c.ops.list))
	for name, n := range c.ops.sorted() {
		fmt.Fprintf(mac, "%q %d %t\n", name, n, c.ops.list[n-opUser].Async)
	}
	fmt.Fprintf(mac, "%d\n", len(key))
	mac.Write(key)
	return mac
}

func (c *cache) codeDir() string { return filepath.Join(c.dir, "code") }

func (c *cache) path(name []byte) string {
	return filepath.Join(c.dir, hex.EncodeToString(name[:16])+".image")
}

// loadImage returns the cached snapshot, or nil if there is none that fits.
func (e *Engine) loadImage(key []byte) *Snapshot {
	mac := e.imageMAC(key)
	path := e.cache.path(mac.Sum(nil))
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	var want [sha256.Size]byte
	var head [12]byte
	if _, err := io.ReadFull(f, want[:]); err != nil {
		return nil
	}
	r := io.TeeReader(f, mac)
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil
	}
	s := &Snapshot{engine: e, size: binary.LittleEndian.Uint64(head[:]), shared: binary.LittleEndian.Uint32(head[8:])}
	if s.image, err = cow.Read(r, uint64(e.config.memoryLimit), e.config.copying); err != nil {
		return nil
	}
	if !hmac.Equal(mac.Sum(nil), want[:]) {
		_ = s.image.Close()
		return nil
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now)
	return s
}

// storeImage writes s to the cache. A failure only means that the next start
// evaluates again.
func (e *Engine) storeImage(key []byte, s *Snapshot) {
	mac := e.imageMAC(key)
	path := e.cache.path(mac.Sum(nil))
	content := func(w io.Writer) error {
		head := binary.LittleEndian.AppendUint64(nil, s.size)
		head = binary.LittleEndian.AppendUint32(head, s.shared)
		if _, err := w.Write(head); err != nil {
			return err
		}
		return cow.Write(w, s.image)
	}
	if err := content(mac); err != nil {
		return
	}
	_ = writeFile(path, os.Rename, func(w io.Writer) error {
		if _, err := w.Write(mac.Sum(nil)); err != nil {
			return err
		}
		return content(w)
	})
	prune(e.cache.dir, "*.image", maxImages)
}

// CachedSnapshot is NewSnapshot with the result kept in the cache directory: the
// next process that asks with the same key, the same version of this package,
// operations and memory configuration loads the image, which takes milliseconds,
// and does not call prepare. key must name everything else that prepare depends
// on, the code above all (its hash).
//
// The image holds all that the prepared code computed or was given, and goes to
// disk: prepare must not see secrets, nor anything that may not outlive the
// process. The hash seed of the image's tables is one per cache, not per process.
//
// The file is authenticated under the bytecode key. A damaged, foreign or stale
// one is ignored and replaced, and a cache that cannot be written is not used:
// neither is an error. The directory keeps the 16 images used last. Without a
// cache directory CachedSnapshot is NewSnapshot.
func (e *Engine) CachedSnapshot(ctx context.Context, key []byte, prepare func(context.Context, *Instance) error) (*Snapshot, error) {
	return e.cached(append([]byte("user\n"), key...), func() (*Snapshot, error) { return e.NewSnapshot(ctx, prepare) })
}

func (e *Engine) cached(key []byte, build func() (*Snapshot, error)) (*Snapshot, error) {
	if e.cache == nil {
		return build()
	}
	if e.closed.Load() {
		return nil, ErrClosed
	}
	if s := e.loadImage(key); s != nil {
		return s, nil
	}
	s, err := build()
	if err == nil {
		e.storeImage(key, s)
	}
	return s, err
}
