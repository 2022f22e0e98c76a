package loader

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
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
// those that start with ".", at most 4,096, and package.json, tsconfig.json and lock files of
// the project. Files that start with "." (except .env) or end with "~" do not count.
//
// Watch returns once it watches. Its goroutine, on which changed is called, ends
// with ctx; done is closed then.
func Watch(ctx context.Context, dir string, debounce time.Duration, changed func()) (done <-chan struct{}, err error) {
	dir, err = realPath(dir)
	if err != nil {
		return nil, fmt.Errorf("watching functions: %w", err)
	}
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watching functions: %w", err)
	}
	w := &watcher{notify: notify, dir: dir, project: (&builder{dir: dir}).projectFolder()}
	err = w.add(dir)
	if err == nil && w.project != dir {
		err = notify.Add(w.project)
	}
	if err != nil {
		return nil, fmt.Errorf("watching functions: %w", errors.Join(explainWatch(err), notify.Close()))
	}
	end := make(chan struct{})
	go func() {
		defer close(end)
		defer notify.Close()
		w.run(ctx, debounce, changed)
	}()
	return end, nil
}

type watcher struct {
	notify       *fsnotify.Watcher
	dir, project string
}

// add watches folder and those below it.
func (w *watcher) add(folder string) error {
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

func (w *watcher) run(ctx context.Context, debounce time.Duration, changed func()) {
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
			if e.Has(fsnotify.Create) {
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

func (w *watcher) matters(e fsnotify.Event) bool {
	if e.Op == fsnotify.Chmod {
		return false
	}
	name := filepath.Base(e.Name)
	if slices.Contains(settingsFiles, name) {
		return true
	}
	inside, err := filepath.Rel(w.dir, e.Name)
	if err != nil || inside == ".." || strings.HasPrefix(inside, ".."+string(filepath.Separator)) {
		return false
	}
	return name == ".env" || !ignoredFolder(name) && !strings.HasSuffix(name, "~") && inside != typesFolder
}

func explainWatch(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EMFILE) {
		return fmt.Errorf("%w: raise fs.inotify.max_user_watches or max_user_instances", err)
	}
	return err
}
