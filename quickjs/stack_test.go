package quickjs_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/agentrt/agentrt/quickjs"
)

// TestSharedStacks has instances take turns on the stacks, with calls that go deep and
// calls that overflow.
func TestSharedStacks(t *testing.T) {
	e := newEngine(t, quickjs.NewConfig())
	s := newSnapshot(t, e, `
		const down = (n) => n === 0 ? 0 : 1 + down(n - 1);
		const forever = () => 1 + forever();
		export async function use(n) {
			await null;
			let overflows = 0;
			try { forever(); } catch (e) { if (e instanceof RangeError) overflows++; }
			await null;
			return [down(n), overflows];
		}`)
	var work sync.WaitGroup
	for n := range 4 {
		work.Go(func() {
			i, err := s.NewInstance(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			defer i.Close()
			if !quickjs.BorrowsStack(i) {
				t.Error("wazero's functions are not as expected: every instance has a stack of its own")
			}
			for k := range 4 {
				depth := 10 + 37*(n+k)
				got, err := i.Call(t.Context(), "main.js", "use", []byte(fmt.Sprint(depth)), nil)
				if err != nil {
					t.Error(err)
				} else if want := fmt.Sprintf("[%d,1]", depth); string(got.Head) != want {
					t.Errorf("%s, want %s", got.Head, want)
				}
			}
		})
	}
	work.Wait()
}
