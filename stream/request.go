package stream

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// RequestBody makes the body of a server's request fit for AddReader: closing the
// body of net/http waits for a Read in progress, so Close first ends that one by
// a read deadline in the past. The connection is then not used for another
// request.
func RequestBody(w http.ResponseWriter, body io.ReadCloser) io.ReadCloser {
	return &requestBody{body: body, control: http.NewResponseController(w)}
}

type requestBody struct {
	body    io.ReadCloser
	control *http.ResponseController

	mu      sync.Mutex
	reading bool
	closed  bool
}

func (b *requestBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return 0, http.ErrBodyReadAfterClose
	}
	b.reading = true
	b.mu.Unlock()
	n, err := b.body.Read(p)
	b.mu.Lock()
	b.reading = false
	b.mu.Unlock()
	return n, err
}

func (b *requestBody) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.closed = true
	if b.reading {
		// Without deadlines Close waits for the client, as net/http does.
		_ = b.control.SetReadDeadline(time.Unix(1, 0))
	}
	b.mu.Unlock()
	return b.body.Close()
}
