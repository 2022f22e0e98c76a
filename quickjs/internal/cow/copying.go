package cow

import (
	"errors"
	"slices"
)

// NewCopyingImage returns an image whose regions are copies on the Go heap. It
// works on every platform.
func NewCopyingImage(mem []byte) Image {
	return &copyingImage{data: slices.Clone(trim(mem))}
}

type copyingImage struct{ data []byte }

func (im *copyingImage) Len() int { return len(im.data) }

func (im *copyingImage) Close() error { return nil }

func (im *copyingImage) NewRegion(size, limit uint64) (Region, error) {
	r := &copyingRegion{image: im, limit: limit, mem: make([]byte, size)}
	copy(r.mem, im.data)
	return r, nil
}

type copyingRegion struct {
	image *copyingImage
	limit uint64
	mem   []byte
	grown bool
}

func (r *copyingRegion) Bytes() []byte { return r.mem }

func (r *copyingRegion) Grow(size uint64) []byte {
	if size > r.limit || size < uint64(len(r.mem)) {
		return nil
	}
	r.grown = true
	r.mem = append(r.mem, make([]byte, size-uint64(len(r.mem)))...)
	return r.mem
}

func (r *copyingRegion) Reset() (int, error) {
	if r.grown {
		return 0, errors.New("cow: the memory grew")
	}
	n := copy(r.mem, r.image.data)
	clear(r.mem[n:])
	return len(r.mem) / PageSize, nil
}

func (r *copyingRegion) Free() error {
	r.mem = nil
	return nil
}
