package loader

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// maxWatched bounds the folders that Watch watches.
const maxWatched = 4_096

// typesFolder is where generated declarations are, which no bundle depends on.
const typesFolder = "types"

// maxDelay is how many times the debounce time a steady flow of changes may put off a call.
const maxDelay = 10

// Watch calls changed when files of the functions folder dir change, once no
// change followed for debounce, and at the latest after ten times that. Watched are
// all folders below dir, also new ones, except types in it, node_modules, dist and
// those that start with ".", package.json, tsconfig.json and lock files of the
// project, and what Follow adds; at most 4,096 folders. Files that start with "."
// (except .env) or end with "~" do not count.
//
// Watch returns once it watches. Its goroutine, on which changed is called, ends
// with ctx.
func Watch(ctx context.Context, dir string, debounce time.Duration, changed func(*Watcher)) (*Watcher, error) {
	dir, err := realPath(dir)
	if err != nil {
		return nil, fmt.Errorf("watching functions: %w", err)
	}
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watching functions: %w", err)
	}
	w := &Watcher{notify: notify, dir: dir, project: (&builder{dir: dir}).projectFolder(), done: make(chan struct{}), files: map[string]bool{}}
	err = w.add(dir)
	if err == nil && w.project != dir {
		err = notify.Add(w.project)
	}
	if err != nil {
		return nil, fmt.Errorf("watching functions: %w", errors.Join(explainWatch(err), notify.Close()))
	}
	go func() {
		defer close(w.done)
		defer notify.Close()
		w.run(ctx, debounce, func() { changed(w) })
	}()
	return w, nil
}

// Watcher is what Watch began.
type Watcher struct {
	notify       *fsnotify.Watcher
	dir, project string
	done         chan struct{}

	mu    sync.Mutex
	files map[string]bool // outside of dir, absolute
}

// Done is closed when the watcher's goroutine has ended.
func (w *Watcher) Done() <-chan struct{} { return w.done }

// Follow also watches inputs of a bundle, or files in which a bundle failed, that
// lie outside of the functions folder; paths are relative to it. Packages are left
// to the project's lock files.
func (w *Watcher) Follow(paths ...string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, path := range paths {
		name := filepath.Join(w.dir, filepath.FromSlash(path))
		if w.inside(name) || w.files[name] || strings.Contains(path, "node_modules/") {
			continue
		}
		info, err := os.Stat(name)
		if err != nil || info.IsDir() {
			continue
		}
		folder := filepath.Dir(name)
		if !slices.Contains(w.notify.WatchList(), folder) {
			if len(w.notify.WatchList()) >= maxWatched {
				return fmt.Errorf("watching %s: more than %d folders", path, maxWatched)
			}
			if err := w.notify.Add(folder); err != nil {
				return fmt.Errorf("watching %s: %w", path, explainWatch(err))
			}
		}
		w.files[name] = true
	}
	return nil
}

func (w *Watcher) inside(name string) bool {
	relative, err := filepath.Rel(w.dir, name)
	return err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator))
}

func (w *Watcher) follows(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.files[name]
}

// add watches folder and those below it.
func (w *Watcher) add(folder string) error {
	return filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) && name != w.dir {
				return nil // gone in the meantime
			}
			return err
		}
		if !d.IsDir() {
			return nil
		}
		if name != w.dir && ignoredFolder(d.Name()) || name == filepath.Join(w.dir, typesFolder) {
			return filepath.SkipDir
		}
		if len(w.notify.WatchList()) >= maxWatched {
			return fmt.Errorf("%s has more than %d folders", w.dir, maxWatched)
		}
		return w.notify.Add(name)
	})
}

func ignoredFolder(name string) bool {
	return name == "node_modules" || name == distFolder || strings.HasPrefix(name, ".")
}

func (w *Watcher) run(ctx context.Context, debounce time.Duration, changed func()) {
	timer := time.NewTimer(0)
	if !timer.Stop() {
		<-timer.C
	}
	defer timer.Stop()
	var first time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-w.notify.Events:
			if !w.matters(e) {
				continue
			}
			if e.Has(fsnotify.Create) && w.inside(e.Name) {
				// Files written before the folder was watched are covered by this event's call.
				_ = w.add(e.Name)
			}
			now := time.Now()
			if first.IsZero() {
				first = now
			}
			timer.Reset(min(debounce, max(first.Add(maxDelay*debounce).Sub(now), 0)))
		case <-w.notify.Errors:
			// Events were lost: assume a change.
			timer.Reset(debounce)
		case <-timer.C:
			first = time.Time{}
			changed()
		}
	}
}

func (w *Watcher) matters(e fsnotify.Event) bool {
	if e.Op == fsnotify.Chmod {
		return false
	}
	name := filepath.Base(e.Name)
	if slices.Contains(settingsFiles, name) {
		return true
	}
	if !w.inside(e.Name) {
		return w.follows(e.Name)
	}
	return name == ".env" || !ignoredFolder(name) && !strings.HasSuffix(name, "~") && e.Name != filepath.Join(w.dir, typesFolder)
}

func explainWatch(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EMFILE) {
		return fmt.Errorf("%w: raise fs.inotify.max_user_watches or max_user_instances", err)
	}
	return err
}
