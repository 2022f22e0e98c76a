package pool

import (
	"context"
	"testing"
	"time"

	"github.com/agentrt/agentrt/quickjs"
)

func TestTrim(t *testing.T) {
	e, err := quickjs.New(t.Context(), quickjs.NewConfig())
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.NewSnapshot(t.Context(), func(context.Context, *quickjs.Instance) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	p := New(s, NewAdmission(100, 0, 0), Config{Warm: 2})
	defer func() {
		if err := p.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	var leases []*Lease
	for range 9 {
		l, err := p.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		leases = append(leases, l)
	}
	for _, l := range leases {
		l.Release()
	}
	for p.InUse() > 0 {
		time.Sleep(time.Millisecond)
	}
	for period, want := range []int{9, 9, 2, 2} {
		p.trim()
		if got := len(p.idle); got != want {
			t.Errorf("after period %d: %d idle instances, want %d", period, got, want)
		}
	}
}
