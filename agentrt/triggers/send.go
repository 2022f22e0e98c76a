package triggers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/agentrt/agentrt/stream"
)

// hopByHop headers belong to the connection (RFC 9110, section 7.6.1).
var hopByHop = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Connection": true, "Te": true,
	"Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

func (x *exchange) send(r *response) error {
	w := x.event.Response
	header := w.Header()
	seen := map[string]bool{}
	for _, pair := range r.Headers {
		name := textproto.CanonicalMIMEHeaderKey(pair[0])
		if hopByHop[name] {
			continue
		}
		if !seen[name] {
			header.Del(name)
			seen[name] = true
		}
		header.Add(name, pair[1])
	}
	events := isEventStream(header)
	if events {
		setDefault(header, "Cache-Control", "no-cache")
		setDefault(header, "X-Accel-Buffering", "no")
	}
	if r.stream != nil {
		return x.sendStream(r, events)
	}
	if bodyAllowed(r.Status) && x.event.Request.Method != http.MethodHead {
		header.Set("Content-Length", strconv.Itoa(len(r.body)))
	}
	w.WriteHeader(r.Status)
	if x.event.Request.Method != http.MethodHead {
		if _, err := w.Write(r.body); err != nil {
			x.part()
			return nil
		}
	}
	x.background()
	return nil
}

// isEventStream reports whether the body is text of server-sent events: one that
// is compressed cannot be taken apart.
func isEventStream(h http.Header) bool {
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	coding := h.Get("Content-Encoding")
	return strings.EqualFold(strings.TrimSpace(kind), "text/event-stream") && (coding == "" || strings.EqualFold(coding, "identity"))
}

func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusResetContent && status != http.StatusNotModified
}

// sendStream copies the body as it is produced. The server's own write timeout
// is replaced by one for each write; silence and total length have limits.
func (x *exchange) sendStream(r *response, events bool) error {
	w, config := x.event.Response, x.trigger.config
	if events {
		// Heartbeats and an error event would make the body longer.
		w.Header().Del("Content-Length")
	}
	w.WriteHeader(r.Status)
	if x.event.Request.Method == http.MethodHead || !bodyAllowed(r.Status) {
		err := r.stream.Close()
		x.background()
		return err
	}
	ctx, cancel := context.WithTimeoutCause(x.event.Request.Context(), config.MaxStream, errMaxStream)
	defer cancel()
	_, err := stream.Copy(ctx, w, r.stream, stream.CopyConfig{
		WriteTimeout: config.WriteTimeout, IdleTimeout: config.StreamIdle, Events: events, Heartbeat: config.Heartbeat,
	})
	switch {
	case err == nil:
		x.background()
		return nil
	case errors.Is(err, stream.ErrWrite) || x.event.Request.Context().Err() != nil:
		x.part()
		return nil
	}
	x.streamFailed(err, events && !errors.Is(err, stream.ErrPartialEvent))
	return nil
}

func setDefault(h http.Header, name, value string) {
	if h.Get(name) == "" {
		h.Set(name, value)
	}
}

// streamFailed ends a response whose body failed so that the client notices: an
// event stream with an error event, anything else and an event that was cut off by
// closing the connection.
func (x *exchange) streamFailed(err error, events bool) {
	var cause error
	select {
	case cause = <-x.done:
		x.ended(cause)
	case <-time.After(partingGrace):
		x.part()
	}
	if cause == nil {
		x.log(fmt.Errorf("the response's stream failed: %w", err), 0)
	}
	if !events {
		panic(http.ErrAbortHandler)
	}
	message := "The stream failed."
	if x.trigger.config.Dev {
		message = x.trigger.runner.Redact(err.Error())
	}
	data, _ := json.Marshal(map[string]string{"message": message, "requestId": x.id})
	// The client may have left by now, and nobody else is there to tell.
	_ = stream.SendEvent(x.event.Response, stream.Event{Type: "error", Data: string(data)}, x.trigger.config.WriteTimeout)
}
