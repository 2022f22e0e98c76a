package latecollector

import (
	"math"
	"runtime/metrics"
	"testing"
)

func gcPercent() uint64 {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func TestPause(t *testing.T) {
	before := gcPercent()
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "1GiB")
	pause()
	if got := gcPercent(); got != before {
		t.Errorf("with GOMEMLIMIT: %d, want %d", got, before)
	}
	t.Setenv("GOMEMLIMIT", "")
	pause()
	if got := gcPercent(); got != math.MaxUint64 {
		t.Errorf("paused: %d", got)
	}
	Resume()
	if got := gcPercent(); got != before {
		t.Errorf("resumed: %d, want %d", got, before)
	}
}
