package cow

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// warmth learns which pages every region of an image writes to and reads, so
// that new regions get them in one go: a fault costs twenty times what a page
// costs within a system call, and a write after a read more, since it interrupts
// the other processors. Some regions are made without these pages and observed.
type warmth struct {
	mu        sync.Mutex
	made      int
	learned   int // observations
	observing int // regions
	// Written pages become private copies, read ones are mapped.
	written, read votes
}

// votes is an exponential average, over the observations, of whether a page was
// used.
type votes struct {
	pages  []uint8
	seen   bool
	ranges []Range
}

// thisThread stands for the process in place of a pidfd (PIDFD_SELF_THREAD, since
// Linux 6.14, when process_madvise learned all advice for the caller itself).
const thisThread = ^uintptr(10000 - 1)

var oneByOne atomic.Bool // process_madvise is not available

// populate is a hint: it does nothing before Linux 5.14, nor when memory is short.
func (r *mappedRegion) populate(ranges []Range, advice int) {
	if len(ranges) > 1 && !oneByOne.Load() {
		_, err := r.advise(ranges, advice)
		switch err {
		case nil, unix.ENOMEM, unix.EFAULT, unix.EAGAIN, unix.EINTR:
			return
		}
		oneByOne.Store(true)
	}
	for _, p := range ranges {
		if to := min(p.To, uint64(len(r.mem))); p.From < to {
			_ = unix.Madvise(r.mem[p.From:to], advice)
		}
	}
}

// advise gives the advice for all ranges in one call and reports whether it held
// for all.
func (r *mappedRegion) advise(ranges []Range, advice int) (all bool, err error) {
	vec := make([]unix.Iovec, 0, len(ranges))
	var size uint64
	for _, p := range ranges {
		if to := min(p.To, uint64(len(r.mem))); p.From < to {
			v := unix.Iovec{Base: &r.mem[p.From]}
			v.SetLen(int(to - p.From))
			vec = append(vec, v)
			size += to - p.From
		}
	}
	if len(vec) == 0 {
		return true, nil
	}
	n, _, errno := unix.Syscall6(unix.SYS_PROCESS_MADVISE, thisThread, uintptr(unsafe.Pointer(&vec[0])), uintptr(len(vec)), uintptr(advice), 0, 0)
	if errno != 0 {
		return false, errno
	}
	return uint64(n) == size, nil
}

const (
	firstObserved   = 2
	observeEvery    = 256
	warmVotes       = 160 // of 255: two observations in a row
	maxWarmPages    = 512
	joinWritten     = 1  // pages between two ranges that are cheaper to copy than another call
	joinRead        = 16 // likewise to map; the kernel maps so many at a fault
	populateWritten = unix.MADV_POPULATE_WRITE
	populateRead    = unix.MADV_POPULATE_READ
)

// start gives the region its warm pages, or marks it as one to observe.
func (w *warmth) start(r *mappedRegion) {
	w.mu.Lock()
	w.made++
	r.observed = w.learned+w.observing < firstObserved || w.made%observeEvery == 0
	if r.observed {
		w.observing++
	}
	written, read := w.written.ranges, w.read.ranges
	w.mu.Unlock()
	if r.observed {
		return
	}
	r.populate(written, populateWritten)
	r.populate(read, populateRead)
}

// observe counts the pages that a region used until now.
func (w *warmth) observe(entries []uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.learned++
	w.observing--
	w.written.add(entries, joinWritten, isPrivate)
	w.read.add(entries, joinRead, func(e uint64) bool { return e&pagePresent != 0 && e&pageIsFile != 0 })
}

// abandon counts a region as not observed after all.
func (w *warmth) abandon(r *mappedRegion) {
	if !r.observed {
		return
	}
	r.observed = false
	w.mu.Lock()
	defer w.mu.Unlock()
	w.observing--
}

func (v *votes) add(entries []uint64, join int, used func(uint64) bool) {
	if n := len(entries) - len(v.pages); n > 0 {
		v.pages = append(v.pages, make([]uint8, n)...)
	}
	for i := range v.pages {
		v.pages[i] /= 2
		if i < len(entries) && used(entries[i]) {
			if v.pages[i] += 128; !v.seen {
				v.pages[i] = 255
			}
		}
	}
	v.seen = true
	v.ranges = nil
	warm := 0
	for i, n := range v.pages {
		if n < warmVotes {
			continue
		}
		if warm++; warm > maxWarmPages {
			break
		}
		from, to := uint64(i)*PageSize, uint64(i+1)*PageSize
		if k := len(v.ranges) - 1; k >= 0 && v.ranges[k].To+uint64(join)*PageSize >= from {
			v.ranges[k].To = to
		} else {
			v.ranges = append(v.ranges, Range{from, to})
		}
	}
}
