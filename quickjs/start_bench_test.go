package quickjs_test

import (
	"testing"

	"github.com/agentrt/agentrt/quickjs"
)

// BenchmarkStart is the start of an engine whose cache directory is filled.
func BenchmarkStart(b *testing.B) {
	config := quickjs.NewConfig().WithCacheDir(b.TempDir())
	newEngine(b, config)
	for b.Loop() {
		e, err := quickjs.New(b.Context(), config)
		if err != nil {
			b.Fatal(err)
		}
		if err := e.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
