package agentrt_test

import (
	"context"
	"testing"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/quickjs"
)

// BenchmarkPlatformInstance is an instance of the bare platform. "image-KiB" is the
// snapshot, which all instances share.
func BenchmarkPlatformInstance(b *testing.B) {
	engine, snapshot, err := agentrt.NewPlatform(b.Context(), quickjs.NewConfig())
	if err != nil {
		b.Fatal(err)
	}
	defer engine.Close(context.Background())
	defer snapshot.Close()
	for b.Loop() {
		i, err := snapshot.NewInstance(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if err := i.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(snapshot.Len())/1024, "image-KiB")
}
