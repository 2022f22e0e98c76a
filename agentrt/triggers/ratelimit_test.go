package triggers

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/agentrt/agentrt/agentrt/deployment"
)

func TestRateBucket(t *testing.T) {
	r := &rate{limit: deployment.RateLimit{Requests: 3, Window: 30 * time.Second}}
	start := time.Now()
	for _, s := range []struct {
		at     time.Duration
		client string
		ok     bool
		left   int
		wait   time.Duration
	}{
		{0, "a", true, 2, 10 * time.Second},
		{0, "a", true, 1, 20 * time.Second},
		{time.Second, "a", true, 0, 9 * time.Second},
		{time.Second, "a", false, 0, 9 * time.Second},
		{time.Second, "b", true, 2, 10 * time.Second},
		{10*time.Second - 1, "a", false, 0, 1},
		{10 * time.Second, "a", true, 0, 10 * time.Second},
		{10 * time.Second, "a", false, 0, 10 * time.Second},
		{31 * time.Second, "a", true, 1, 19 * time.Second}, // in the next window
		{200 * time.Second, "a", true, 2, 10 * time.Second},
	} {
		ok, left, wait := r.take(s.client, start.Add(s.at))
		if ok != s.ok || left != s.left || wait != s.wait {
			t.Errorf("at %v: %v, %d left, %v; want %v, %d, %v", s.at, ok, left, wait, s.ok, s.left, s.wait)
		}
	}
}

// TestRateHolds counts what is let through in all windows of a random flow.
func TestRateHolds(t *testing.T) {
	for _, limit := range []deployment.RateLimit{{Requests: 1, Window: time.Second}, {Requests: 7, Window: 10 * time.Second}, {Requests: 1000, Window: time.Minute}} {
		r := &rate{limit: limit}
		now := time.Now()
		var admitted []time.Time
		for range 20_000 {
			ok, left, wait := r.take("c", now)
			if ok {
				admitted = append(admitted, now)
			}
			if left == 0 && rand.IntN(4) == 0 {
				now = now.Add(wait)
				if ok, _, _ := r.take("c", now); !ok {
					t.Fatalf("%+v: refused after the wait it asked for", limit)
				}
				admitted = append(admitted, now)
			}
			now = now.Add(time.Duration(rand.Int64N(int64(2 * limit.Window / time.Duration(limit.Requests)))))
		}
		each := limit.Window / time.Duration(limit.Requests)
		for k, j := 0, 0; k < len(admitted); k++ {
			for admitted[k].Sub(admitted[j]) >= limit.Window {
				j++
			}
			span := admitted[k].Sub(admitted[j])
			if n, most := k-j+1, limit.Requests+int(span/each)+1; n > most {
				t.Fatalf("%+v: %d requests in %v, at most %d", limit, n, span, most)
			}
		}
	}
}

func TestRateMemoryIsBounded(t *testing.T) {
	r := &rate{limit: deployment.RateLimit{Requests: 5, Window: time.Hour}}
	now := time.Now()
	for k := range 3 * maxClients {
		if ok, _, _ := r.take(fmt.Sprint("client ", k), now); !ok {
			t.Fatal("a new client was refused")
		}
	}
	if len(r.recent) != maxClients {
		t.Errorf("%d clients are kept", len(r.recent))
	}
	r.take("x", now.Add(time.Hour))
	r.take("x", now.Add(2*time.Hour))
	if n := len(r.recent) + len(r.old); n != 2 {
		t.Errorf("%d clients are kept after two windows", n)
	}
}
