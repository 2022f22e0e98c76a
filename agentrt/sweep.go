package agentrt

import (
	"context"
	"time"

	"github.com/agentrt/agentrt/hostfn/pb/kvstore"
)

// sweepEvery is how often expired values of pb.kv are removed; they are no longer
// read from the moment they expire.
const sweepEvery = time.Minute

func (e *Engine) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if _, err := kvstore.Sweep(ctx, e.app); err != nil && ctx.Err() == nil {
			e.logger().Error("removing expired values", "error", err)
		}
	}
}
