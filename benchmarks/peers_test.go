package benchmarks

import (
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"testing"

	"github.com/agentrt/agentrt/compat/modelserver"
)

// TestPlainProxy relays many streams at once: none may be cut.
func TestPlainProxy(t *testing.T) {
	model := httptest.NewServer(modelserver.New(modelserver.Config{Timestamps: true}))
	defer model.Close()
	addr, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- plainProxy(ctx, addr, model.URL) }()
	defer func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	if err := awaitListener(ctx, addr); err != nil {
		t.Fatal(err)
	}
	b := newTokenBench(options{quick: true}, io.Discard)
	defer b.client.CloseIdleConnections()
	p := &peer{name: "go", url: "http://" + addr + "/"}
	errs := make(chan error)
	for range 200 {
		go func() {
			_, err := b.stream(ctx, workloads[0], p, oneToken)
			errs <- err
		}()
	}
	var all []error
	for range 200 {
		all = append(all, <-errs)
	}
	if err := errors.Join(all...); err != nil {
		t.Error(err)
	}
}
