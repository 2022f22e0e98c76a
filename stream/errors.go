package stream

import "errors"

var (
	// ErrHandle reports a handle that is unknown, ended or taken over.
	ErrHandle = errors.New("stream: the handle is not open")
	// ErrTooMany reports that a table's limit on open handles is reached.
	ErrTooMany = errors.New("stream: too many open streams: end or cancel some of them first")
	// ErrBusy reports a second read while one is pending.
	ErrBusy = errors.New("stream: another read of this stream is pending")
	// ErrTouched reports that a stream cannot be taken over since it was read.
	ErrTouched = errors.New("stream: the stream was already read from")
	// ErrNotPipe reports a write to a stream that is no pipe.
	ErrNotPipe = errors.New("stream: the handle is no pipe")
	// ErrNoCredit reports a write without credit: wait with Drain first.
	ErrNoCredit = errors.New("stream: no credit left: wait until the reader has caught up")
	// ErrChunkSize reports a write of more than ChunkSize bytes.
	ErrChunkSize = errors.New("stream: a single write is limited to 65,536 bytes: split it")
	// ErrClosed reports that the stream's owner ended before the stream did.
	ErrClosed = errors.New("stream: closed")
	// ErrCancelled is the cause when a reading side goes without naming one.
	ErrCancelled = errors.New("stream: the reading side is gone")
	// ErrWrite marks an error of Copy that comes from the destination.
	ErrWrite = errors.New("stream: writing to the client failed")
	// ErrIdle reports that the source gave nothing for the idle timeout.
	ErrIdle = errors.New("stream: the source was idle for too long")
	// ErrPartialEvent reports that the source failed inside an event of which the
	// client has a part: only the end of the connection can tell it.
	ErrPartialEvent = errors.New("stream: the source failed inside a large event")
)
