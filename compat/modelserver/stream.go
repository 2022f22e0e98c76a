package modelserver

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

var (
	errClientLeft = errors.New("the client left")
	errFault      = errors.New("a fault ended the answer")
)

// encoder writes an answer as the events of one protocol.
type encoder interface {
	open(*stream)                            // what comes ahead of the first token
	text(s *stream, token string)            // one token of text
	callOpen(s *stream, i int, c *call)      // the begin of the call at index i
	callDelta(s *stream, i int, part string) // a part of its arguments
	callClose(s *stream, i int, c *call)     // its end
	close(*stream)                           // what follows the last token
	fail(s *stream, e *apiError)             // an error in the midst of the stream
}

// stream paces and frames the events of one answer. The first error sticks.
type stream struct {
	x         *exchange
	ctx       context.Context
	rc        *http.ResponseController
	framing   framing
	eol       string
	comments  bool
	utf8      bool
	pieces    *pieces
	buf       []byte // of the next write; more than one event's only with the utf8 fault
	events    int
	sent      int // tokens
	pending   []Fault
	due       time.Time
	timer     *time.Timer
	renewed   time.Time // of the write deadline
	err       error
	deltaName string // event name of a content delta
}

// framing is how objects follow each other.
type framing uint8

const (
	frameEvents framing = iota // server-sent events
	frameArray                 // a JSON array
	frameLines                 // a line each
)

var framingTypes = map[framing]string{
	frameEvents: "text/event-stream; charset=utf-8", frameArray: "application/json; charset=utf-8", frameLines: "application/x-ndjson",
}

// stream sends the answer through the encoder.
func (x *exchange) stream(e encoder, a *answer, framing framing) {
	s := &stream{
		x: x, ctx: x.r.Context(), rc: http.NewResponseController(x.w), framing: framing, eol: "\n",
		comments: x.opt.has(faultComments), utf8: x.opt.has(faultUTF8),
	}
	if x.opt.has(faultCRLF) {
		s.eol = "\r\n"
	}
	if x.opt.has(faultFrames) {
		s.pieces = &pieces{}
	}
	for _, f := range x.opt.faults {
		switch f.kind {
		case faultCut, faultEnd, faultReset, faultStall, faultError, faultBadJSON, faultHuge, faultEndless:
			s.pending = append(s.pending, f)
		case faultCRLF, faultComments, faultUTF8, faultFrames:
			x.rec.fault(f)
		}
	}
	stats := &x.srv.stats
	stats.streams.Add(1)
	stats.live.Add(1)
	defer s.end()
	x.rec.setStream()
	h := x.w.Header()
	h.Set("Content-Type", framingTypes[framing])
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Accel-Buffering", "no")
	x.rec.status(http.StatusOK)
	x.w.WriteHeader(http.StatusOK)
	s.run(e, a)
}

func (s *stream) run(e encoder, a *answer) {
	e.open(s)
	if s.renewed.IsZero() {
		_ = s.rc.Flush() // nothing is written yet: send the headers
	}
	for i := range a.text.n {
		if !s.next(e) {
			return
		}
		e.text(s, a.text.at(i))
	}
	for i := range a.calls {
		c := &a.calls[i]
		e.callOpen(s, i, c)
		for _, part := range tokenise(c.args) {
			if !s.next(e) {
				return
			}
			e.callDelta(s, i, part)
		}
		e.callClose(s, i, c)
	}
	if s.strike(e, MaxTokens+1); s.err != nil {
		return
	}
	e.close(s)
	s.closeArray()
	s.flushRest()
}

// end takes the stream out of the figures.
func (s *stream) end() {
	stats, rec := &s.x.srv.stats, s.x.rec
	switch {
	case errors.Is(s.err, errFault):
		stats.faulted.Add(1)
		rec.outcome(OutcomeFault)
	case s.err != nil:
		stats.cancelled.Add(1)
		rec.outcome(OutcomeCancelled)
	default:
		stats.completed.Add(1)
		rec.outcome(OutcomeCompleted)
	}
	stats.tokens.Add(int64(s.sent))
	rec.tokens(s.sent)
	stats.live.Add(-1)
	if s.timer != nil {
		s.timer.Stop()
	}
	s.release()
}

// release takes back the write deadline, which would outlive the answer on a
// connection that is kept alive.
func (s *stream) release() {
	if !s.renewed.IsZero() {
		_ = s.rc.SetWriteDeadline(time.Time{})
	}
}

// next waits until a token is due and lets faults strike ahead of it. False ends the
// stream.
func (s *stream) next(e encoder) bool {
	if s.err != nil {
		return false
	}
	delay := s.x.opt.delay
	if s.sent == 0 {
		delay = s.x.opt.firstDelay
		if delay > 0 || s.x.opt.delay > 0 {
			s.due = time.Now()
		}
	}
	if !s.wait(delay) {
		return false
	}
	if len(s.pending) > 0 {
		if s.strike(e, s.sent); s.err != nil {
			return false
		}
	}
	s.sent++
	return true
}

// wait sleeps until delay after the time the last token was due, so that lateness
// does not add up; a token that is later than that is not made up for.
func (s *stream) wait(delay time.Duration) bool {
	if delay > 0 {
		now := time.Now()
		s.due = s.due.Add(delay)
		if left := s.due.Sub(now); left <= 0 {
			s.due = now
		} else {
			if s.timer == nil {
				s.timer = time.NewTimer(left)
			} else {
				s.timer.Reset(left)
			}
			select {
			case <-s.timer.C:
			case <-s.ctx.Done():
			}
		}
	}
	if s.ctx.Err() != nil {
		s.err = errClientLeft
		return false
	}
	return true
}

// strike applies the pending faults whose token has come.
func (s *stream) strike(e encoder, token int) {
	for i := 0; i < len(s.pending) && s.err == nil; {
		f := s.pending[i]
		if f.at > token {
			i++
			continue
		}
		s.pending = slices.Delete(s.pending, i, i+1)
		s.x.rec.fault(f)
		s.apply(e, f)
	}
}

func (s *stream) apply(e encoder, f Fault) {
	switch f.kind {
	case faultBadJSON:
		s.begin(s.deltaName)
		s.buf = append(s.buf, `{"delta": {"content": "broken`...)
		s.finish()
	case faultHuge:
		e.text(s, hugeText(f.size))
	case faultError:
		e.fail(s, &apiError{status: http.StatusInternalServerError, message: "fault \"" + f.text + "\" was asked for"})
		s.closeArray()
		s.flushRest()
		s.err = firstError(s.err, errFault)
	case faultEndless:
		s.endless(f.size)
		s.drop(false)
	case faultEnd:
		s.flushRest()
		s.err = firstError(s.err, errFault)
	case faultStall:
		s.flushRest()
		if s.err == nil && s.x.sleep(MaxDelay) {
			s.drop(false)
		} else {
			s.err = firstError(s.err, errClientLeft)
		}
	case faultCut, faultReset:
		s.flushRest()
		s.drop(f.kind == faultReset)
	}
}

func firstError(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

func hugeText(n int) string {
	text := make([]byte, n)
	for i := range text {
		text[i] = 'x'
	}
	return string(text)
}

// endless writes one line of up to n bytes without an end.
func (s *stream) endless(n int) {
	s.write([]byte("data: "))
	block := []byte(hugeText(64 << 10))
	for n > 0 && s.err == nil {
		part := block[:min(n, len(block))]
		s.write(part)
		n -= len(part)
		if s.ctx.Err() != nil {
			s.err = firstError(s.err, errClientLeft)
		}
	}
}

// drop ends the connection without ending the answer. Without access to the
// connection (HTTP/2) the handler is aborted, which resets the stream.
func (s *stream) drop(reset bool) {
	s.err = firstError(s.err, errFault)
	s.renewed = time.Time{}
	hangUp(s.x.w, reset)
}

func hangUp(w http.ResponseWriter, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// begin starts an event; the caller appends one JSON object to s.buf and calls finish.
func (s *stream) begin(event string) {
	if s.framing == frameLines {
		s.events++
		return
	}
	if s.framing == frameArray {
		if s.events == 0 {
			s.buf = append(s.buf, '[')
		} else {
			s.buf = append(s.buf, ',')
			s.buf = append(s.buf, s.eol...)
		}
		s.events++
		return
	}
	s.events++
	if s.comments {
		s.buf = append(s.buf, ": heartbeat"...)
		s.buf = append(s.buf, s.eol...)
		s.buf = append(s.buf, s.eol...)
	}
	if event != "" {
		s.buf = append(s.buf, "event: "...)
		s.buf = append(s.buf, event...)
		s.buf = append(s.buf, s.eol...)
	}
	s.buf = append(s.buf, "data: "...)
}

// finish ends the event and sends it.
func (s *stream) finish() {
	if n := len(s.buf); s.x.opt.timestamps && s.buf[n-1] == '}' {
		s.buf = append(s.buf[:n-1], `,"sent_ns":`...)
		s.buf = strconv.AppendInt(s.buf, time.Now().UnixNano(), 10)
		s.buf = append(s.buf, '}')
	}
	if s.framing != frameArray {
		s.buf = append(s.buf, s.eol...)
	}
	if s.framing == frameEvents {
		s.buf = append(s.buf, s.eol...)
	}
	s.flush()
}

// event sends v as an event of this name.
func (s *stream) event(name string, v any) {
	s.begin(name)
	s.buf = appendJSON(s.buf, v)
	s.finish()
}

// flush sends the buffer; with the utf8 fault only up to the midst of its last
// multi-byte character.
func (s *stream) flush() {
	if !s.utf8 {
		s.write(s.buf)
		s.buf = s.buf[:0]
		return
	}
	if at := splitRune(s.buf); at > 0 {
		s.write(s.buf[:at])
		s.buf = append(s.buf[:0], s.buf[at:]...)
	}
}

// splitRune returns the offset behind the first byte of the last multi-byte character
// that is whole, or 0. The rest of a character split before stands at the start of
// b and is no such character.
func splitRune(b []byte) int {
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] >= utf8.RuneSelf && utf8.RuneStart(b[i]) {
			return i + 1
		}
	}
	return 0
}

// closeArray ends the array, if the answer is one.
func (s *stream) closeArray() {
	if s.framing == frameArray && s.events > 0 {
		s.buf = append(s.buf, ']')
	}
}

// flushRest sends what the utf8 fault holds back.
func (s *stream) flushRest() {
	if len(s.buf) > 0 {
		s.write(s.buf)
		s.buf = s.buf[:0]
	}
}

// write sends b at once. A write that a client blocks for MaxDelay fails.
func (s *stream) write(b []byte) {
	if s.err != nil {
		return
	}
	if now := time.Now(); now.Sub(s.renewed) > time.Minute {
		s.renewed = now
		_ = s.rc.SetWriteDeadline(now.Add(MaxDelay))
	}
	for len(b) > 0 {
		part := b
		if s.pieces != nil {
			part = b[:min(len(b), s.pieces.next())]
		}
		if _, err := s.x.w.Write(part); err != nil {
			s.err = errClientLeft
			return
		}
		if err := s.rc.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
			s.err = errClientLeft
			return
		}
		b = b[len(part):]
	}
}

// pieces yields sizes from 1 to 24, the same ones for each stream.
type pieces struct{ state uint32 }

func (p *pieces) next() int {
	p.state = p.state*1664525 + 1013904223
	return int(p.state>>16)%24 + 1
}

// appendJSON appends v as JSON without escaping of HTML characters.
func appendJSON(b []byte, v any) []byte {
	w := &appender{b}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return append(b, "null"...)
	}
	return w.b[:len(w.b)-1]
}

type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

const hexDigits = "0123456789abcdef"

// appendString appends text as a JSON string: UTF-8 stays as it is.
func appendString(b []byte, text string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(append(b, text[from:i]...), `\ufffd`...)
				from = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, text[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		from = i
	}
	return append(append(b, text[from:]...), '"')
}

// whole sends the answer as one JSON document, after the time its tokens take.
func (x *exchange) whole(a *answer, v any) error {
	tokens := a.outputTokens
	wait := x.opt.firstDelay
	if tokens > 1 {
		wait += min(x.opt.delay, MaxDelay/time.Duration(tokens-1)) * time.Duration(tokens-1)
	}
	if !x.sleep(min(wait, MaxDelay)) {
		return errClientLeft
	}
	body := appendJSON(nil, v)
	x.rec.tokens(tokens)
	for _, f := range x.opt.faults {
		switch f.kind {
		case faultError:
			x.rec.fault(f)
			return &apiError{status: http.StatusInternalServerError, message: "fault \"" + f.text + "\" was asked for"}
		case faultBadJSON:
			x.rec.fault(f)
			body = body[:len(body)-1]
		case faultCut, faultReset, faultStall, faultEnd:
			x.rec.fault(f)
			return x.half(f, body)
		}
	}
	x.w.Header().Set("Content-Type", "application/json")
	x.rec.status(http.StatusOK)
	s := &stream{x: x, rc: http.NewResponseController(x.w)}
	defer s.release()
	switch {
	case x.opt.has(faultFrames):
		s.pieces = &pieces{}
		s.write(body)
	case x.opt.has(faultUTF8):
		at := splitRune(body)
		s.write(body[:at])
		s.write(body[at:])
	default:
		x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = x.w.Write(body)
	}
	return nil
}

// half sends the first half of a JSON document and ends as the fault wants.
func (x *exchange) half(f Fault, body []byte) error {
	h := x.w.Header()
	h.Set("Content-Type", "application/json")
	if f.kind != faultEnd {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	x.rec.status(http.StatusOK)
	x.rec.outcome(OutcomeFault)
	_, _ = x.w.Write(body[:len(body)/2])
	_ = http.NewResponseController(x.w).Flush()
	switch f.kind {
	case faultEnd:
		return nil
	case faultStall:
		if !x.sleep(MaxDelay) {
			x.rec.outcome(OutcomeCancelled)
			return nil
		}
	}
	hangUp(x.w, f.kind == faultReset)
	return nil
}
