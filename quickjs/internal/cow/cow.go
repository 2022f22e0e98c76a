// Package cow provides linear memories that start as copies of one image. On
// Linux a memory maps the image copy-on-write and shares every page that it does
// not change; elsewhere, and when asked to, it copies.
package cow

import "errors"

// PageSize is the unit in which changes are tracked, in bytes.
const PageSize = 4096

// ErrClosed is returned by operations on a closed image.
var ErrClosed = errors.New("cow: image is closed")

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
	// Free releases the memory; Bytes must not be used afterwards.
	Free() error
}

// trim returns mem without trailing zero pages.
func trim(mem []byte) []byte {
	for len(mem) >= PageSize && isZero(mem[len(mem)-PageSize:]) {
		mem = mem[:len(mem)-PageSize]
	}
	return mem
}

func isZero(page []byte) bool {
	for _, b := range page {
		if b != 0 {
			return false
		}
	}
	return true
}
