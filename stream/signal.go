package stream

// signal wakes all waiters at once. It is guarded by its owner's mutex.
type signal struct{ ch chan struct{} }

// wait returns the channel that the next notify closes.
func (s *signal) wait() <-chan struct{} {
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *signal) notify() {
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}
