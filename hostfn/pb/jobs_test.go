package pb

import "testing"

func TestJobScopeLimit(t *testing.T) {
	s := JobScope{Before: true}
	for k := range maxEnqueue {
		hold, err := s.enter(k%2 == 0)
		if err != nil || (hold == "") != (k%2 == 0) {
			t.Fatalf("job %d: %q, %v", k, hold, err)
		}
	}
	if _, err := s.enter(false); err == nil {
		t.Errorf("job %d is allowed", maxEnqueue+1)
	}
}
