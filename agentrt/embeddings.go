package agentrt

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/agentrt/agentrt/agentrt/autoembed"
	"github.com/agentrt/agentrt/agentrt/loader"
	"github.com/agentrt/agentrt/vector/embed"
	"github.com/agentrt/agentrt/vector/embed/embedstore"
	"github.com/pocketbase/pocketbase/core"
)

func (e *Engine) newEmbedder() (*embed.Service, error) {
	config := e.config.Embed
	if text := os.Getenv("AGENTRT_EMBED_CONFIG"); text != "" && config.Model == "" && config.Providers == nil {
		cache := config.CacheBytes
		var err error
		if config, err = embed.ParseConfig(text); err != nil {
			return nil, fmt.Errorf("agentrt: AGENTRT_EMBED_CONFIG: %w", err)
		}
		setDefault(&config.CacheBytes, cache)
	}
	registry, err := embed.NewRegistry(config, e.setting, e.transport)
	if err != nil {
		return nil, fmt.Errorf("agentrt: %w", err)
	}
	return embed.NewService(registry), nil
}

// setting is a secret, or else a variable of Config.Env, of the functions' .env, or of
// the process, in this order.
func (e *Engine) setting(ctx context.Context, name string) (string, bool, error) {
	value, ok, err := e.secrets.Lookup(ctx, name)
	if ok || err != nil {
		return value, ok, err
	}
	if value, ok = e.config.Env[name]; ok {
		return value, true, nil
	}
	vars, err := loader.ReadEnv(e.config.FunctionsDir)
	if err != nil {
		return "", false, err
	}
	if value, ok = vars[name]; ok {
		return value, true, nil
	}
	value, ok = os.LookupEnv(name)
	return value, ok, nil
}

func (e *Engine) startEmbedder() {
	e.embed.Start(embedstore.New(e.app), func(err error) { e.logger().Error("writing the cache of embeddings", "error", err) })
}

func (e *Engine) openAuto(ctx context.Context) error {
	if e.auto == nil {
		return nil
	}
	return e.auto.Open(ctx, e.app)
}

// Backfill computes the vectors that fields with the option embed lack, in the
// collection of that name or in all if it is empty, see [autoembed.Auto]. It is for
// an engine that is not started, of an app that is bootstrapped.
func (e *Engine) Backfill(ctx context.Context, collection string, report func(autoembed.Progress)) (err error) {
	if e.auto == nil {
		return ErrNotStarted
	}
	if err := errors.Join(e.secrets.Open(ctx), embedstore.Create(ctx, e.app)); err != nil {
		return fmt.Errorf("agentrt: %w", err)
	}
	e.startEmbedder()
	defer func() {
		err = errors.Join(err, e.embed.Close(context.WithoutCancel(ctx)))
		e.transport.CloseIdleConnections()
	}()
	return e.auto.Backfill(ctx, e.app, collection, report)
}

// Embedder is what pb.embed uses, for Go. Use it between Start and Stop.
func (e *Engine) Embedder() *embed.Service { return e.embed }

// getEmbeddingUsage answers with the usage of the last ?days=30 days, at most 3,660.
func (e *Engine) getEmbeddingUsage(re *core.RequestEvent) error {
	days := 30
	if text := re.Request.URL.Query().Get("days"); text != "" {
		if _, err := fmt.Sscan(text, &days); err != nil || days < 1 || days > 3660 {
			return re.BadRequestError("days must be a number from 1 to 3660", nil)
		}
	}
	usage, err := e.embed.Usage(re.Request.Context(), time.Now().AddDate(0, 0, 1-days))
	if err != nil {
		return err
	}
	return re.JSON(http.StatusOK, map[string]any{"usage": usage})
}

// textEmbedder gives vector searches the models of pb.embed.
type textEmbedder struct{ service *embed.Service }

// Embed implements [vector.Embedder].
func (t textEmbedder) Embed(ctx context.Context, model string, dim int, texts []string) ([][]float32, error) {
	r, err := t.service.Embed(ctx, model, texts, dim)
	return r.Vectors, err
}
