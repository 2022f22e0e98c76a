package cow

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// coldAfter is the number of resets in a row that leave a resident page as it
// was before the page is given back to the kernel.
const coldAfter = 8

// NewImage returns an image that holds mem in a sealed memfd.
func NewImage(mem []byte) (Image, error) {
	mem = trim(mem)
	fd, err := unix.MemfdCreate("agentrt-image", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("cow: memfd_create: %w", err)
	}
	dense, marks := split(mem)
	im := &memfdImage{fd: fd, marks: marks}
	if err := im.fill(mem[:dense]); err != nil {
		im.Close()
		return nil, err
	}
	return im, nil
}

// memfdImage holds the dense pages in a file. The last pages of an allocator's
// heap are zero but for an end mark or two; those lie in marks, so that what an
// instance allocates gets anonymous pages, which fault faster.
type memfdImage struct {
	mu    sync.RWMutex
	fd    int
	data  []byte         // read-only mapping, shared by all regions' resets
	marks map[int][]byte // content by page index
	refs  int
}

const (
	maxMarks = 4  // pages that every new region copies
	minRun   = 64 // zero pages that are worth keeping out of the file
)

// split returns where the zero run begins behind which at most maxMarks pages
// are not zero, and these pages by index.
func split(mem []byte) (dense int, marks map[int][]byte) {
	dense, marks = len(mem), map[int][]byte{}
	pending := map[int][]byte{}
	for page, run := len(mem)/PageSize-1, 0; page >= 0; page-- {
		content := mem[page*PageSize : (page+1)*PageSize]
		if isZero(content) {
			if run++; run >= minRun {
				dense = page * PageSize
				maps.Copy(marks, pending)
			}
			continue
		}
		if run = 0; len(pending) == maxMarks {
			break
		}
		pending[page] = slices.Clone(content)
	}
	return dense, marks
}

func (im *memfdImage) fill(mem []byte) error {
	if len(mem) == 0 {
		return nil
	}
	if err := unix.Ftruncate(im.fd, int64(len(mem))); err != nil {
		return fmt.Errorf("cow: ftruncate: %w", err)
	}
	for off := 0; off < len(mem); off += PageSize {
		page := mem[off : off+PageSize]
		if isZero(page) {
			continue
		}
		if n, err := unix.Pwrite(im.fd, page, int64(off)); err != nil || n != PageSize {
			return fmt.Errorf("cow: pwrite: %d bytes: %w", n, err)
		}
	}
	seals := unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(im.fd), unix.F_ADD_SEALS, seals); err != nil {
		return fmt.Errorf("cow: sealing the image: %w", err)
	}
	data, err := unix.Mmap(im.fd, 0, len(mem), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return mapError(err)
	}
	im.data = data
	return nil
}

func (im *memfdImage) Len() int { return len(im.data) + len(im.marks)*PageSize }

func (im *memfdImage) Close() error {
	im.mu.Lock()
	defer im.mu.Unlock()
	if im.fd < 0 {
		return nil
	}
	err := unix.Close(im.fd)
	im.fd = -1
	return errors.Join(err, im.unmapLocked())
}

func (im *memfdImage) unmapLocked() error {
	if im.fd >= 0 || im.refs > 0 || im.data == nil {
		return nil
	}
	data := im.data
	im.data = nil
	return unix.Munmap(data)
}

func (im *memfdImage) NewRegion(size, limit uint64) (Region, error) {
	im.mu.Lock()
	defer im.mu.Unlock()
	if im.fd < 0 {
		return nil, ErrClosed
	}
	flags := unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | unix.MAP_NORESERVE
	mem, err := unix.Mmap(-1, 0, int(limit), unix.PROT_READ|unix.PROT_WRITE, flags)
	if err != nil {
		return nil, mapError(err)
	}
	r := &mappedRegion{image: im, whole: mem, mem: mem[:size:size]}
	if n := len(im.data); n > 0 {
		_, err := unix.MmapPtr(im.fd, 0, unsafe.Pointer(&mem[0]), uintptr(n),
			unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED|unix.MAP_NORESERVE)
		if err != nil {
			unix.Munmap(mem)
			return nil, mapError(err)
		}
	}
	im.refs++
	for page, content := range im.marks {
		copy(mem[page*PageSize:], content)
	}
	return r, nil
}

func mapError(err error) error {
	if errors.Is(err, unix.ENOMEM) {
		return fmt.Errorf("cow: mmap: %w (each live instance needs two mappings; raise vm.max_map_count, or vm.overcommit_memory is 2)", err)
	}
	return fmt.Errorf("cow: mmap: %w", err)
}

type mappedRegion struct {
	image *memfdImage
	whole []byte // limit bytes of address space
	mem   []byte
	cold  []uint8 // per page: resets in a row that found it unchanged
	grown bool
}

func (r *mappedRegion) Bytes() []byte { return r.mem }

func (r *mappedRegion) Grow(size uint64) []byte {
	if size > uint64(len(r.whole)) || size < uint64(len(r.mem)) {
		return nil
	}
	r.grown = true
	r.mem = r.whole[:size:size]
	return r.mem
}

func (r *mappedRegion) Free() error {
	if r.whole == nil {
		return nil
	}
	err := unix.Munmap(r.whole)
	r.whole, r.mem = nil, nil
	r.image.mu.Lock()
	defer r.image.mu.Unlock()
	r.image.refs--
	return errors.Join(err, r.image.unmapLocked())
}

// Reset copies back the pages that differ from the image instead of dropping
// them, so that the next use does not fault them in again. The pages that are
// private come from /proc/self/pagemap; where that cannot be read, all are
// dropped.
func (r *mappedRegion) Reset() (int, error) {
	if r.grown {
		return 0, errors.New("cow: the memory grew")
	}
	buf := pagemapBuffers.Get().(*[]uint64)
	defer pagemapBuffers.Put(buf)
	pages := len(r.mem) / PageSize
	if cap(*buf) < pages {
		*buf = make([]uint64, pages)
	}
	entries := (*buf)[:pages]
	if err := readPagemap(r.mem, entries); err != nil {
		return pages, r.drop(0, pages)
	}
	if r.cold == nil {
		r.cold = make([]uint8, pages)
	}
	changed := 0
	for i, e := range entries {
		if e&pagePresent == 0 || e&pageIsFile != 0 {
			continue
		}
		same := r.restore(i)
		if !same {
			changed++
			r.cold[i] = 0
			continue
		}
		if r.cold[i]++; r.cold[i] >= coldAfter {
			r.cold[i] = 0
			if err := r.drop(i, i+1); err != nil {
				return changed, err
			}
		}
	}
	return changed, nil
}

// restore puts page i back to the image's content and reports whether it had it.
func (r *mappedRegion) restore(i int) bool {
	page := r.mem[i*PageSize : (i+1)*PageSize]
	if off := i * PageSize; off < len(r.image.data) {
		want := r.image.data[off : off+PageSize]
		if bytes.Equal(page, want) {
			return true
		}
		copy(page, want)
		return false
	}
	if want := r.image.marks[i]; want != nil {
		if bytes.Equal(page, want) {
			return true
		}
		copy(page, want)
		return false
	}
	if bytes.Equal(page, zeroPage[:]) {
		return true
	}
	clear(page)
	return false
}

func (r *mappedRegion) drop(from, to int) error {
	if err := unix.Madvise(r.mem[from*PageSize:to*PageSize], unix.MADV_DONTNEED); err != nil {
		return fmt.Errorf("cow: madvise: %w", err)
	}
	for page, content := range r.image.marks {
		if page >= from && page < to {
			copy(r.mem[page*PageSize:], content)
		}
	}
	return nil
}

var zeroPage [PageSize]byte

// Bits of a pagemap entry, Documentation/admin-guide/mm/pagemap.rst.
const (
	pagePresent = 1 << 63
	pageIsFile  = 1 << 61
)

var pagemapBuffers = sync.Pool{New: func() any { return new([]uint64) }}

var pagemap = sync.OnceValues(func() (*os.File, error) { return os.Open("/proc/self/pagemap") })

func readPagemap(mem []byte, entries []uint64) error {
	f, err := pagemap()
	if err != nil {
		return err
	}
	raw := unsafe.Slice((*byte)(unsafe.Pointer(&entries[0])), len(entries)*8)
	off := int64(uintptr(unsafe.Pointer(&mem[0]))/PageSize) * 8
	n, err := unix.Pread(int(f.Fd()), raw, off)
	if err != nil {
		return err
	}
	if n != len(raw) {
		return errors.New("cow: short read of pagemap")
	}
	return nil
}
