package hostfn

import (
	"testing"
	"time"
)

// WaitForSmallResponses has fetch wait for small bodies however slow the machine
// is, until the test ends. Such a test cannot be parallel.
func WaitForSmallResponses(t *testing.T) {
	before := smallWait
	smallWait = time.Minute
	t.Cleanup(func() { smallWait = before })
}
