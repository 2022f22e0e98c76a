package hostfn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/agentrt/agentrt/quickjs"
	"github.com/coder/websocket"
)

const (
	// maxSockets bounds the WebSockets that an invocation has open or is opening.
	maxSockets = 32
	// maxSocketMessage bounds a message in each direction, in bytes.
	maxSocketMessage = 16 << 20
	// handshakeTime bounds the opening of a WebSocket.
	handshakeTime = 30 * time.Second
)

// RegisterWebSocket adds the operations behind WebSocket in websocket.ts
// (https://websockets.spec.whatwg.org/). A connection is a handle of the invocation
// and ends with it; at most 32 at a time. Opening one counts as a fetch, and goes
// through the same transport, hence the same egress policy. Redirects are not
// followed.
//
//	ws.open  async {url, protocols, headers}  {handle, protocol}; within 30 s
//	ws.read  async handle                     {type, code, reason}, bytes: the next "text" or "binary" message of at most 16 MiB, "close", or "fail"
//	ws.write async {handle, text}, bytes      returns when the message was passed to the system; one at a time
//	ws.close async {handle, code, reason, abandon}  sends the closing frame and waits for the server's, at most 10 s
//
// One read at a time. After "close" and "fail" the handle is gone.
func RegisterWebSocket(ops *quickjs.Ops) {
	quickjs.Async(ops, "ws.open", openSocket)
	quickjs.Async(ops, "ws.read", func(ctx context.Context, handle int) (quickjs.Message[socketEvent], error) {
		scope, s, err := socketOf(ctx, handle)
		if err != nil {
			return quickjs.Message[socketEvent]{}, err
		}
		m := s.read(ctx)
		if m.Head.Type == "close" || m.Head.Type == "fail" {
			scope.sockets.remove(handle)
		}
		return m, nil
	})
	quickjs.Async(ops, "ws.write", func(ctx context.Context, m quickjs.Message[socketWrite]) (quickjs.None, error) {
		_, s, err := socketOf(ctx, m.Head.Handle)
		if err != nil {
			return quickjs.None{}, err
		}
		kind := websocket.MessageBinary
		if m.Head.Text {
			kind = websocket.MessageText
		}
		if err := s.conn.Write(ctx, kind, m.Body); err != nil {
			return quickjs.None{}, socketError("ERR_WS_WRITE", "the message could not be sent: %v", err)
		}
		return quickjs.None{}, nil
	})
	quickjs.Async(ops, "ws.close", func(ctx context.Context, c socketClose) (quickjs.None, error) {
		// The read that is under way, or the next one, tells how it went.
		if scope, s, err := socketOf(ctx, c.Handle); err == nil {
			s.close(c)
			if c.Abandon {
				scope.sockets.remove(c.Handle)
			}
		}
		return quickjs.None{}, nil
	})
}

type socketOpen struct {
	URL       string
	Protocols []string
	Headers   [][2]string
}

type socketOpened struct {
	Handle   int    `json:"handle"`
	Protocol string `json:"protocol"`
}

type socketEvent struct {
	Type   string `json:"type"`
	Code   int    `json:"code,omitempty"`
	Reason string `json:"reason,omitempty"`
}

type socketWrite struct {
	Handle int
	Text   bool
}

type socketClose struct {
	Handle int
	Code   int
	Reason string
	// Abandon says that nobody reads any more.
	Abandon bool
}

func (c socketClose) code() websocket.StatusCode {
	if c.Code == 0 {
		return websocket.StatusNoStatusRcvd
	}
	return websocket.StatusCode(c.Code)
}

func socketError(code, format string, args ...any) error {
	return &quickjs.HostError{Name: "Error", Message: fmt.Sprintf(format, args...), Code: code}
}

func openSocket(ctx context.Context, r socketOpen) (opened socketOpened, err error) {
	scope, err := ScopeFrom(ctx)
	if err != nil {
		return opened, err
	}
	if limit := scope.Limits.fetches(); scope.fetches.Add(1) > limit && limit >= 0 {
		return opened, socketError("ERR_FETCH_LIMIT", "the invocation has called fetch or opened WebSockets %d times, which is its limit", limit)
	}
	if scope.Transport == nil {
		return opened, socketError("ERR_EGRESS_DENIED", "there is no network for this invocation")
	}
	if err := scope.sockets.reserve(); err != nil {
		return opened, err
	}
	conn, err := dialSocket(ctx, scope, r)
	if err != nil {
		scope.sockets.release()
		if ctx.Err() != nil {
			return opened, context.Canceled
		}
		c := causeOf(err, r.URL)
		return opened, socketError(c.Code, "%s", strings.TrimPrefix(c.Message, "failed to WebSocket dial: "))
	}
	opened.Protocol = conn.Subprotocol()
	opened.Handle, err = scope.sockets.add(scope.Context, conn)
	return opened, err
}

func dialSocket(ctx context.Context, scope *Scope, r socketOpen) (*websocket.Conn, error) {
	f := fetcher{scope: scope}
	scheme, rest, _ := strings.Cut(r.URL, ":")
	target, err := parseTarget(strings.Replace(scheme, "ws", "http", 1) + ":" + rest)
	if err != nil {
		return nil, err
	}
	if err := f.setHeader(r.Headers); err != nil {
		return nil, err
	}
	for name := range f.header {
		if strings.HasPrefix(name, "Sec-Websocket-") {
			f.header.Del(name)
		}
	}
	f.header.Del("Accept")
	f.header.Del("Accept-Encoding")
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	// The library takes a string; the transport gets the URL as fetch would send it.
	conn, _, err := websocket.Dial(ctx, target.Scheme+"://"+target.Host, &websocket.DialOptions{
		HTTPClient: &http.Client{
			Transport:     handshake{target.RequestURI(), scope.Transport},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		HTTPHeader:   f.header,
		Subprotocols: r.Protocols,
	})
	if err != nil {
		return nil, err
	}
	if len(r.Protocols) > 0 && !slices.Contains(r.Protocols, conn.Subprotocol()) {
		_ = conn.CloseNow()
		return nil, cause{fmt.Sprintf("the server chose none of the subprotocols %q", r.Protocols), "ERR_WS_PROTOCOL"}
	}
	conn.SetReadLimit(maxSocketMessage)
	return conn, nil
}

// handshake sends requests with a path that Go's URLs might rewrite.
type handshake struct {
	uri  string
	base http.RoundTripper
}

func (h handshake) RoundTrip(req *http.Request) (*http.Response, error) {
	target, err := parseTarget(req.URL.Scheme + "://" + req.URL.Host + h.uri)
	if err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	req.URL = target
	res, err := h.base.RoundTrip(req)
	if err == nil && res.StatusCode != http.StatusSwitchingProtocols {
		_ = res.Body.Close()
		return nil, cause{fmt.Sprintf("the server answered %d instead of 101 to the opening of the WebSocket", res.StatusCode), "ERR_WS_HANDSHAKE"}
	}
	return res, err
}

// socket is an open WebSocket.
type socket struct {
	conn *websocket.Conn

	mu sync.Mutex
	// closing is made by close and closed when outcome is known.
	closing chan struct{}
	outcome socketEvent
}

func (s *socket) read(ctx context.Context) (m quickjs.Message[socketEvent]) {
	kind, data, err := s.conn.Read(ctx)
	if err == nil && kind == websocket.MessageText && !utf8.Valid(data) {
		_ = s.conn.Close(websocket.StatusInvalidFramePayloadData, "invalid UTF-8")
		err = errors.New("the server sent text that is not UTF-8")
	}
	closed, isClosed := errors.AsType[websocket.CloseError](err)
	switch {
	case isClosed:
		m.Head = socketEvent{Type: "close", Code: int(closed.Code), Reason: closed.Reason}
	case err != nil:
		m.Head = s.closed(ctx)
		if m.Head.Type == "" {
			_ = s.conn.CloseNow()
			m.Head = socketEvent{Type: "fail", Code: int(websocket.StatusAbnormalClosure), Reason: readFailure(err)}
		}
	case kind == websocket.MessageText:
		m.Head.Type, m.Body = "text", data
	default:
		m.Head.Type, m.Body = "binary", data
	}
	return m
}

func (s *socket) close(c socketClose) {
	s.mu.Lock()
	again := s.closing != nil
	if !again {
		s.closing = make(chan struct{})
	}
	s.mu.Unlock()
	if again {
		return
	}
	defer close(s.closing)
	err := s.conn.Close(c.code(), c.Reason)
	// The library reads the server's frame itself if no read is under way, and tells
	// of it only if it differs; servers send back what they got.
	if closed, ok := errors.AsType[websocket.CloseError](err); ok {
		s.outcome = socketEvent{Type: "close", Code: int(closed.Code), Reason: closed.Reason}
	} else if err == nil {
		s.outcome = socketEvent{Type: "close", Code: int(c.code()), Reason: c.Reason}
	}
}

// closed waits for a closing handshake that is under way; without one, or if it
// failed, the event has no type.
func (s *socket) closed(ctx context.Context) socketEvent {
	s.mu.Lock()
	closing := s.closing
	s.mu.Unlock()
	if closing == nil {
		return socketEvent{}
	}
	select {
	case <-closing:
		return s.outcome
	case <-ctx.Done():
		return socketEvent{}
	}
}

func readFailure(err error) string {
	switch {
	case errors.Is(err, websocket.ErrMessageTooBig):
		return fmt.Sprintf("the server sent a message of more than %d bytes", maxSocketMessage)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the server ended the connection without closing the WebSocket"
	}
	return err.Error()
}

// sockets are the handles of an invocation.
type sockets struct {
	mu     sync.Mutex
	open   map[int]*socket
	count  int // with those that are being opened
	last   int
	closed bool
}

func (t *sockets) reserve() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count >= maxSockets {
		return socketError("ERR_WS_LIMIT", "%d WebSockets are open, which is the limit: close some first", maxSockets)
	}
	t.count++
	return nil
}

func (t *sockets) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count--
}

// add takes a connection for which there is a reservation. The end of ctx closes it.
func (t *sockets) add(ctx context.Context, conn *websocket.Conn) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		t.count--
		return 0, errors.Join(context.Canceled, conn.CloseNow())
	}
	if t.open == nil {
		t.open = map[int]*socket{}
		context.AfterFunc(ctx, t.close)
	}
	t.last++
	t.open[t.last] = &socket{conn: conn}
	return t.last, nil
}

func (t *sockets) remove(handle int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.open[handle]; ok {
		delete(t.open, handle)
		t.count--
	}
}

func (t *sockets) close() {
	t.mu.Lock()
	open := t.open
	t.open, t.closed = map[int]*socket{}, true
	t.mu.Unlock()
	for _, s := range open {
		_ = s.conn.CloseNow()
	}
}

func socketOf(ctx context.Context, handle int) (*Scope, *socket, error) {
	scope, err := ScopeFrom(ctx)
	if err != nil {
		return nil, nil, err
	}
	scope.sockets.mu.Lock()
	defer scope.sockets.mu.Unlock()
	s := scope.sockets.open[handle]
	if s == nil {
		return nil, nil, socketError("ERR_WS_CLOSED", "the WebSocket is closed")
	}
	return scope, s, nil
}
