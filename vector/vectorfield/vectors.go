package vectorfield

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/agentrt/agentrt/vector"
	"github.com/agentrt/agentrt/vector/fulltext"
	"github.com/agentrt/agentrt/vector/sqlitevec"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// Config configures Vectors. Zero fields have the defaults named here.
type Config struct {
	// Open opens the store of an app that is bootstrapped; a sqlitevec.Store in its
	// data.db by default.
	Open func(ctx context.Context, app core.App) (vector.Store, error)
	// Embedder makes vectors of the texts of searches; by default one that hashes
	// words, without a model.
	Embedder vector.Embedder
}

// ErrClosed is returned before the app is bootstrapped and once it has ended.
var ErrClosed = errors.New("vectors: the app is not bootstrapped")

// Vectors keeps the vectors of an app's records and finds records by them. It is
// safe for concurrent use.
type Vectors struct {
	config Config

	mu    sync.RWMutex
	store vector.Store
	texts *fulltext.Index
	end   context.CancelFunc
	work  sync.WaitGroup
}

const (
	storeKey = "agentrt.vectors"
	hookID   = "agentrtVectors"
)

// Of returns what Register made for app, or nil.
func Of(app core.App) *Vectors {
	v, _ := app.Store().Get(storeKey).(*Vectors)
	return v
}

// Register makes vector fields work for app: the store opens once the app is
// bootstrapped and closes when it terminates. Call it once, before that.
func Register(app core.App, config Config) *Vectors {
	if config.Open == nil {
		config.Open = openSQLite
	}
	if config.Embedder == nil {
		config.Embedder = offline{}
	}
	v := &Vectors{config: config}
	app.Store().Set(storeKey, v)
	app.OnBootstrap().Bind(&hook.Handler[*core.BootstrapEvent]{Id: hookID, Func: func(e *core.BootstrapEvent) error {
		if err := errors.Join(v.close(), e.Next()); err != nil {
			return err
		}
		return v.open(context.Background(), app)
	}})
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{Id: hookID, Func: func(e *core.ServeEvent) error {
		v.load(app)
		e.UIExtensions = append(e.UIExtensions, core.UIExtension{Name: "agentrt-vectors", FS: dashboard()})
		return e.Next()
	}})
	app.OnTerminate().Bind(&hook.Handler[*core.TerminateEvent]{Id: hookID, Priority: -9_000, Func: func(e *core.TerminateEvent) error {
		return errors.Join(v.close(), e.Next())
	}})
	v.bindCollections(app)
	v.bindRecords(app)
	return v
}

func openSQLite(ctx context.Context, app core.App) (vector.Store, error) {
	return sqlitevec.New(ctx, app, sqlitevec.Options{OnError: func(space string, err error) {
		app.Logger().Error("Building a vector index failed", slog.String("space", space), slog.String("error", err.Error()))
	}})
}

func (v *Vectors) open(ctx context.Context, app core.App) error {
	store, err := v.config.Open(ctx, app)
	if err != nil {
		return fmt.Errorf("vectors: opening the store: %w", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.store, v.texts = store, fulltext.New(app)
	return nil
}

// load brings indexes into memory, so that the first search need not.
func (v *Vectors) load(app core.App) {
	loader, ok := v.store.(interface{ Load(context.Context) error })
	if !ok {
		return
	}
	ctx, end := context.WithCancel(context.Background())
	v.mu.Lock()
	v.end = end
	v.mu.Unlock()
	v.work.Go(func() {
		if err := loader.Load(ctx); err != nil && ctx.Err() == nil {
			app.Logger().Error("Loading the vector indexes failed", slog.String("error", err.Error()))
		}
	})
}

func (v *Vectors) close() error {
	v.mu.Lock()
	store, end := v.store, v.end
	v.store, v.texts, v.end = nil, nil, nil
	v.mu.Unlock()
	if end != nil {
		end()
	}
	v.work.Wait()
	if store == nil {
		return nil
	}
	return store.Close()
}

// opened returns the store and the index of texts.
func (v *Vectors) opened() (vector.Store, *fulltext.Index, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.store == nil {
		return nil, nil, ErrClosed
	}
	return v.store, v.texts, nil
}

// Store is where the vectors are; ErrClosed before the app is bootstrapped.
func (v *Vectors) Store() (vector.Store, error) {
	store, _, err := v.opened()
	return store, err
}

// txOf is the transaction that app stands for, or nil.
func txOf(app core.App) dbx.Builder {
	if app.IsTransactional() {
		return app.NonconcurrentDB()
	}
	return nil
}

func (v *Vectors) count(ctx context.Context, app core.App, c *core.Collection, f *Field) (int, error) {
	store, _, err := v.opened()
	if err != nil {
		return 0, err
	}
	n, err := store.Count(ctx, txOf(app), f.Space(c).Name)
	if errors.Is(err, vector.ErrNoSpace) {
		return 0, nil
	}
	return n, err
}
