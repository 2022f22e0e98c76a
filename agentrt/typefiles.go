package agentrt

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/agentrt/agentrt/agentrt/types"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// WriteTypes writes TypeScript declarations for editors to dir, by default the
// folder "types" of the functions folder: of the globals, of the app's present
// collections, and of Config.HostModules. The engine need not be started; the app
// must be bootstrapped.
func (e *Engine) WriteTypes(dir string) error {
	if dir == "" {
		dir = e.typesDir()
	}
	collections, err := e.app.FindAllCollections()
	if err != nil {
		return fmt.Errorf("agentrt: types: %w", err)
	}
	if err := types.Write(dir, collections, e.config.HostModules); err != nil {
		return fmt.Errorf("agentrt: %w", err)
	}
	return nil
}

func (e *Engine) typesDir() string { return filepath.Join(e.config.FunctionsDir, "types") }

// keepTypes writes the declarations now and after each change of a collection,
// until ctx ends.
func (e *Engine) keepTypes(ctx context.Context) {
	if _, err := os.Stat(filepath.Join(e.config.FunctionsDir, "src")); err != nil {
		return
	}
	changed := make(chan struct{}, 1)
	note := func(ev *core.CollectionEvent) error {
		select {
		case changed <- struct{}{}:
		default:
		}
		return ev.Next()
	}
	for _, h := range []*hook.TaggedHook[*core.CollectionEvent]{e.app.OnCollectionAfterCreateSuccess(), e.app.OnCollectionAfterUpdateSuccess(), e.app.OnCollectionAfterDeleteSuccess()} {
		id := h.BindFunc(note)
		defer h.Unbind(id)
	}
	for {
		if err := e.WriteTypes(""); err != nil {
			e.logger().Warn("the TypeScript declarations are not up to date", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
		// Imports change many collections at once.
		select {
		case <-ctx.Done():
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}
