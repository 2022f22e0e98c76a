// Package cow provides linear memories that start as copies of one image. On
// Linux a memory maps the image copy-on-write and shares every page that it does
// not change; elsewhere, and when asked to, it copies.
package cow

import (
	"bytes"
	"errors"
)

// PageSize is the unit in which changes are tracked, in bytes.
const PageSize = 4096

// ErrClosed is returned by operations on a closed image.
var ErrClosed = errors.New("cow: image is closed")

var errGrown = errors.New("cow: the memory grew")

// Image is the immutable content that new memories start with. It may be used
// from several goroutines.
type Image interface {
	// NewRegion returns a memory of size bytes, of which the first ones are the
	// image and the rest zero, that can grow to limit bytes. Both are multiples
	// of the WebAssembly page size; size is at least the image's length.
	NewRegion(size, limit uint64) (Region, error)
	// Len is the number of image bytes, a multiple of PageSize.
	Len() int
	// Close releases the image. Regions made of it stay valid.
	Close() error

	// layout lists the runs that hold anything but zeros, in ascending order.
	layout() []run
	// page returns the content of page n, which lies in one of these runs.
	page(n int) []byte
}

// Region is one memory. It is not safe for concurrent use.
type Region interface {
	// Bytes is the memory at its current size. Grow may move it.
	Bytes() []byte
	// Grow returns the memory extended to size bytes, or nil beyond the limit.
	Grow(size uint64) []byte
	// Reset restores the image and zeroes the rest. It reports how many pages
	// had changed. A region that grew cannot be reset.
	Reset() (changed int, err error)
	// Empty gives all pages back; only Start and Free may follow. A region that
	// grew cannot be emptied.
	Empty() error
	// Start makes an emptied region like a new one.
	Start()
	// Snapshot returns the content as an image of the same kind. The scratch
	// ranges are zeroed before; they must be zero in the region's own image.
	Snapshot(scratch ...Range) (Image, error)
	// Populate makes the pages of the range resident at once, which costs a
	// fraction of faulting each: a hint, for pages that are about to be written.
	Populate(r Range)
	// Observe tells the image that the region has had a typical use: the pages
	// that such uses have in common are made resident in later regions.
	Observe()
	// Free releases the memory; Bytes must not be used afterwards.
	Free() error
}

// Range is the addresses from From up to but not including To.
type Range struct{ From, To uint64 }

// run is a sequence of pages.
type run struct{ page, count int }

func (r run) end() int { return r.page + r.count }

// appendPage adds page n, which lies behind all others.
func appendPage(runs []run, n int) []run {
	if k := len(runs) - 1; k >= 0 && runs[k].end() == n {
		runs[k].count++
		return runs
	}
	return append(runs, run{n, 1})
}

func lastPage(runs []run) int {
	if len(runs) == 0 {
		return 0
	}
	return runs[len(runs)-1].end()
}

// clearScratch zeroes the part of page n that lies in one of the ranges.
func clearScratch(mem []byte, n int, scratch []Range) {
	first, last := uint64(n)*PageSize, uint64(n+1)*PageSize
	for _, r := range scratch {
		if from, to := max(r.From, first), min(r.To, last); from < to {
			clear(mem[from:to])
		}
	}
}

var zeroPage [PageSize]byte

func isZero(page []byte) bool { return bytes.Equal(page, zeroPage[:]) }
