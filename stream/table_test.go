package stream_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agentrt/agentrt/stream"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newTable(t *testing.T, config stream.Config) *stream.Table {
	t.Helper()
	table := stream.NewTable(config)
	t.Cleanup(func() { table.Close() })
	return table
}

// closer counts closes of a reader.
type closer struct {
	io.Reader
	closed chan struct{}
}

func newCloser(r io.Reader) *closer { return &closer{r, make(chan struct{}, 8)} }

func (c *closer) Close() error {
	c.closed <- struct{}{}
	if p, ok := c.Reader.(*io.PipeReader); ok {
		p.Close()
	}
	return nil
}

func readAll(ctx context.Context, table *stream.Table, rid int) ([]byte, error) {
	var all []byte
	for {
		chunk, err := table.Read(ctx, rid)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		if len(chunk) == 0 || len(chunk) > stream.ChunkSize {
			return all, fmt.Errorf("a chunk of %d bytes", len(chunk))
		}
		all = append(all, chunk...)
	}
}

func TestReaderGivesAllBytesAndIsClosed(t *testing.T) {
	table := newTable(t, stream.Config{})
	for _, size := range []int{0, 1, 4096, 65_536, 1_000_003} {
		want := bytes.Repeat([]byte("0123456789"), size/10+1)[:size]
		src := newCloser(bytes.NewReader(want))
		rid, err := table.AddReader(src)
		if err != nil {
			t.Fatal(err)
		}
		got, err := readAll(t.Context(), table, rid)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: got %d, %v", size, len(got), err)
		}
		<-src.closed
		if _, err := table.Read(t.Context(), rid); !errors.Is(err, stream.ErrHandle) {
			t.Errorf("after the end: %v", err)
		}
	}
	if table.Len() != 0 {
		t.Errorf("%d handles are left", table.Len())
	}
}

func TestReadReturnsWhatIsThere(t *testing.T) {
	table := newTable(t, stream.Config{})
	r, w := io.Pipe()
	rid, _ := table.AddReader(r)
	for _, part := range []string{"a", "bc"} {
		go w.Write([]byte(part))
		if got, err := table.Read(t.Context(), rid); err != nil || string(got) != part {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	failure := errors.New("upstream broke")
	go func() { w.Write([]byte("last")); w.CloseWithError(failure) }()
	got, err := readAll(t.Context(), table, rid)
	if string(got) != "last" || !errors.Is(err, failure) {
		t.Errorf("got %q, %v", got, err)
	}
}

// counted tells how much was read of an endless source.
type counted struct {
	mu   sync.Mutex
	read int
	more chan struct{}
}

func (c *counted) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read += len(p)
	select {
	case c.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (c *counted) Close() error { return nil }

func TestReadAheadIsBounded(t *testing.T) {
	table := newTable(t, stream.Config{})
	src := &counted{more: make(chan struct{}, 1)}
	rid, _ := table.AddReader(src)
	taken := 0
	for range 50 {
		chunk, err := table.Read(t.Context(), rid)
		if err != nil {
			t.Fatal(err)
		}
		taken += len(chunk)
		src.mu.Lock()
		ahead := src.read - taken
		src.mu.Unlock()
		if ahead > 2*stream.ChunkSize {
			t.Fatalf("%d bytes ahead", ahead)
		}
	}
}

func TestOneReadAtATime(t *testing.T) {
	table := newTable(t, stream.Config{})
	r, w := io.Pipe()
	rid, _ := table.AddReader(r)
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	read := func() { _, err := table.Read(ctx, rid); first <- err }
	go read()
	for busy := false; !busy; {
		probe, stop := context.WithCancel(t.Context())
		stop()
		_, err := table.Read(probe, rid)
		busy = errors.Is(err, stream.ErrBusy)
		select {
		case <-first: // the probe came first, so the read found it busy
			go read()
			busy = false
		default:
		}
	}
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled read: %v", err)
	}
	go w.Write([]byte("kept"))
	if got, err := table.Read(t.Context(), rid); err != nil || string(got) != "kept" {
		t.Errorf("after a cancelled read: %q, %v", got, err)
	}
}

func TestTake(t *testing.T) {
	table := newTable(t, stream.Config{})
	rid, _ := table.AddReader(io.NopCloser(strings.NewReader("whole")))
	r, err := table.Take(rid)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(r); string(got) != "whole" {
		t.Errorf("got %q", got)
	}
	for name, err := range map[string]error{
		"take twice": second(table.Take(rid)),
		"read":       second(table.Read(t.Context(), rid)),
		"unknown":    second(table.Take(99)),
		"negative":   second(table.Take(-1)),
	} {
		if !errors.Is(err, stream.ErrHandle) {
			t.Errorf("%s: %v", name, err)
		}
	}
	rid, _ = table.AddReader(io.NopCloser(strings.NewReader("ab")))
	table.Read(t.Context(), rid)
	if _, err := table.Take(rid); !errors.Is(err, stream.ErrTouched) {
		t.Errorf("after a read: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestLimitsAndHandles(t *testing.T) {
	table := newTable(t, stream.Config{MaxOpen: 2})
	first, _ := table.NewPipe()
	table.AddReader(io.NopCloser(strings.NewReader("")))
	_, err := table.NewPipe()
	if !errors.Is(err, stream.ErrTooMany) || !strings.Contains(err.Error(), "limit 2") {
		t.Errorf("third handle: %v", err)
	}
	table.Cancel(first, nil)
	table.CloseWrite(first)
	again, err := table.NewPipe()
	if err != nil || again == first {
		t.Errorf("handle %d after %d: %v", again, first, err)
	}
}

func TestPipeCredit(t *testing.T) {
	table := newTable(t, stream.Config{PipeCredit: 10})
	rid, _ := table.NewPipe()
	r, err := table.Take(rid)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		text   string
		credit int
		err    error
	}{{"12345678", 2, nil}, {"abcd", -2, nil}, {"x", 0, stream.ErrNoCredit}, {strings.Repeat("x", stream.ChunkSize+1), 0, stream.ErrChunkSize}} {
		if credit, err := table.Write(rid, []byte(step.text)); credit != step.credit || !errors.Is(err, step.err) {
			t.Errorf("%.10q: %d, %v", step.text, credit, err)
		}
	}
	waiting, cancel := context.WithCancel(t.Context())
	cancel()
	if err := table.Drain(waiting, rid); !errors.Is(err, context.Canceled) {
		t.Errorf("drain without credit: %v", err)
	}
	drained := make(chan error)
	go func() { drained <- table.Drain(t.Context(), rid) }()
	buf := make([]byte, 5)
	io.ReadFull(r, buf)
	if err := <-drained; err != nil {
		t.Error(err)
	}
	table.Write(rid, []byte("!"))
	table.CloseWrite(rid)
	if rest, err := io.ReadAll(r); string(buf)+string(rest) != "12345678abcd!" || err != nil {
		t.Errorf("%q %q %v", buf, rest, err)
	}
	if table.Len() != 0 {
		t.Error("the pipe is still open")
	}
}

func TestPipeEnds(t *testing.T) {
	table := newTable(t, stream.Config{PipeCredit: 1})
	failure := errors.New("no more")

	rid, _ := table.NewPipe()
	r, _ := table.Take(rid)
	table.Write(rid, []byte("a"))
	table.Fail(rid, failure)
	if got, err := io.ReadAll(r); string(got) != "a" || !errors.Is(err, failure) {
		t.Errorf("failed writer: %q, %v", got, err)
	}

	rid, _ = table.NewPipe()
	r, _ = table.Take(rid)
	table.Write(rid, []byte("a"))
	drained, gone := make(chan error), make(chan error)
	go func() { drained <- table.Drain(t.Context(), rid) }()
	go func() { gone <- table.Gone(t.Context(), rid) }()
	r.Close()
	_, err := table.Write(rid, []byte("b"))
	for name, err := range map[string]error{"drain": <-drained, "gone": <-gone, "write": err} {
		if !errors.Is(err, stream.ErrCancelled) {
			t.Errorf("%s after the reader closed: %v", name, err)
		}
	}

	rid, _ = table.NewPipe()
	table.Cancel(rid, failure)
	if _, err := table.Write(rid, nil); !errors.Is(err, failure) {
		t.Errorf("write after cancel: %v", err)
	}

	rid, _ = table.NewPipe()
	go func() { gone <- table.Gone(t.Context(), rid) }()
	table.CloseWrite(rid)
	if err := <-gone; err != nil {
		t.Errorf("gone after the writer ended: %v", err)
	}
	rid, _ = table.AddReader(io.NopCloser(strings.NewReader("")))
	if _, err := table.Write(rid, nil); !errors.Is(err, stream.ErrNotPipe) {
		t.Errorf("write to a reader: %v", err)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	table := stream.NewTable(stream.Config{PipeCredit: 1})
	r, _ := io.Pipe()
	src := newCloser(r)
	reader, _ := table.AddReader(src)
	idle := newCloser(strings.NewReader(""))
	table.AddReader(idle)
	open, _ := table.NewPipe()
	finished, _ := table.NewPipe()
	openSide, _ := table.Take(open)
	finishedSide, _ := table.Take(finished)
	table.Write(open, []byte("a"))
	table.Write(finished, []byte("b"))
	table.CloseWrite(finished)
	results := make(chan error, 2)
	go func() { results <- second(table.Read(t.Context(), reader)) }()
	go func() { results <- table.Drain(t.Context(), open) }()
	table.Close()
	for range 2 {
		if err := <-results; !errors.Is(err, stream.ErrClosed) {
			t.Errorf("a pending call: %v", err)
		}
	}
	<-src.closed
	<-idle.closed
	if _, err := io.ReadAll(openSide); !errors.Is(err, stream.ErrClosed) {
		t.Errorf("reader of an unfinished pipe: %v", err)
	}
	if got, err := io.ReadAll(finishedSide); string(got) != "b" || err != nil {
		t.Errorf("reader of a finished pipe: %q, %v", got, err)
	}
	if _, err := table.NewPipe(); !errors.Is(err, stream.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestCancelEndsAPendingRead(t *testing.T) {
	table := newTable(t, stream.Config{})
	r, w := io.Pipe()
	rid, _ := table.AddReader(r)
	go w.Write([]byte("x"))
	table.Read(t.Context(), rid)
	cause := errors.New("user left")
	result := make(chan error)
	go func() { result <- second(table.Read(t.Context(), rid)) }()
	table.Cancel(rid, cause)
	if err := <-result; !errors.Is(err, cause) && !errors.Is(err, stream.ErrHandle) {
		t.Errorf("pending read: %v", err)
	}
	// The read in progress may still take a write before the source closes.
	var err error
	for err == nil {
		_, err = w.Write([]byte("y"))
	}
	if !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the source was not closed: %v", err)
	}
}

// TestRandomSequences runs many random operations from several goroutines; a
// model of each pipe checks that bytes arrive in order.
func TestRandomSequences(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 50
	}
	for seed := range rounds {
		random := rand.New(rand.NewPCG(uint64(seed), 1))
		table := stream.NewTable(stream.Config{MaxOpen: 8, PipeCredit: 1 + random.IntN(100)})
		var work sync.WaitGroup
		for range 3 {
			rid, err := table.NewPipe()
			if err != nil {
				t.Fatal(err)
			}
			size, fails, taken := random.IntN(2000), random.IntN(4) == 0, random.IntN(2) == 0
			step := 1 + random.IntN(150)
			var side io.Reader
			if taken {
				if side, err = table.Take(rid); err != nil {
					t.Fatal(err)
				}
			}
			work.Go(func() { writeSequence(table, rid, size, step, fails) })
			work.Go(func() {
				var got []byte
				var err error
				if taken {
					got, err = io.ReadAll(side)
				} else {
					got, err = readAll(t.Context(), table, rid)
				}
				for k, b := range got {
					if b != byte(k) {
						t.Errorf("seed %d: byte %d is %d", seed, k, b)
						return
					}
				}
				if err == nil && (len(got) != size || fails) {
					t.Errorf("seed %d: complete after %d of %d bytes, failing %v", seed, len(got), size, fails)
				}
			})
		}
		early := random.IntN(3) == 0
		work.Go(func() {
			for rid := -1; rid < 12; rid++ {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rid%3)*time.Microsecond)
				table.Drain(ctx, rid)
				table.Gone(ctx, rid)
				if early {
					table.Read(ctx, rid+20)
					table.Cancel(rid-2, nil)
				}
				cancel()
			}
		})
		if early {
			table.Close()
		}
		work.Wait()
		table.Close()
	}
}

func writeSequence(table *stream.Table, rid, size, step int, fails bool) {
	for at := 0; at < size; {
		chunk := make([]byte, min(step, size-at))
		for k := range chunk {
			chunk[k] = byte(at + k)
		}
		credit, err := table.Write(rid, chunk)
		if err != nil {
			return
		}
		at += len(chunk)
		if credit <= 0 && table.Drain(context.Background(), rid) != nil {
			return
		}
	}
	if fails {
		table.Fail(rid, errors.New("failed"))
		return
	}
	table.CloseWrite(rid)
}

func BenchmarkRead64K(b *testing.B) {
	table := stream.NewTable(stream.Config{})
	defer table.Close()
	rid, _ := table.AddReader(&counted{})
	b.SetBytes(stream.ChunkSize)
	for read := 0; read < b.N*stream.ChunkSize; {
		chunk, err := table.Read(b.Context(), rid)
		if err != nil {
			b.Fatal(err)
		}
		read += len(chunk)
	}
}
