package cow

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// coldAfter is the number of resets in a row that leave a resident page as it
// was before the page is given back to the kernel, once.
const coldAfter = 8

// Empty returns an image without content.
func Empty() Image { return &memfdImage{fd: -1} }

// memfdImage holds the dense pages in a sealed memfd. The last pages of an
// allocator's heap are zero but for an end mark or two; those lie in marks, so
// that what an instance allocates gets anonymous pages, which fault faster.
type memfdImage struct {
	runs  []run
	marks map[int][]byte // content by page index
	warm  warmth

	mu     sync.RWMutex
	fd     int    // -1: there are no dense pages
	data   []byte // read-only mapping, shared by all regions' resets
	closed bool
	refs   int
}

const (
	maxMarks = 4  // pages that every new region copies
	minRun   = 64 // zero pages that are worth keeping out of the file
)

// split returns the page from which on at most maxMarks pages, each group behind
// minRun zero pages, are not zero.
func split(runs []run) (dense int) {
	dense = lastPage(runs)
	marks := 0
	for k := len(runs) - 1; k >= 0; k-- {
		if marks += runs[k].count; marks > maxMarks {
			break
		}
		before := lastPage(runs[:k])
		if runs[k].page-before >= minRun {
			dense = before
		}
	}
	return dense
}

// newImage makes an image of runs, whose content source returns in order, up to
// pieceSize pages at a time.
func newImage(runs []run, source func(page, count int) ([]byte, error)) (Image, error) {
	im := &memfdImage{runs: runs, fd: -1}
	if err := im.fill(source); err != nil {
		return nil, errors.Join(err, im.Close())
	}
	return im, nil
}

func (im *memfdImage) fill(source func(page, count int) ([]byte, error)) (err error) {
	dense := split(im.runs)
	if dense > 0 {
		if im.fd, err = unix.MemfdCreate("agentrt-image", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING); err != nil {
			im.fd = -1
			return fmt.Errorf("cow: memfd_create: %w", err)
		}
		if err := unix.Ftruncate(im.fd, int64(dense)*PageSize); err != nil {
			return fmt.Errorf("cow: ftruncate: %w", err)
		}
	}
	for _, r := range im.runs {
		for n := r.page; n < r.end(); n += pieceSize {
			content, err := source(n, min(pieceSize, r.end()-n))
			if err != nil {
				return err
			}
			if n >= dense {
				im.mark(n, content)
			} else if k, err := unix.Pwrite(im.fd, content, int64(n)*PageSize); err != nil || k != len(content) {
				return fmt.Errorf("cow: pwrite: %d of %d bytes: %w", k, len(content), err)
			}
		}
	}
	if dense == 0 {
		return nil
	}
	seals := unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(im.fd), unix.F_ADD_SEALS, seals); err != nil {
		return fmt.Errorf("cow: sealing the image: %w", err)
	}
	if im.data, err = unix.Mmap(im.fd, 0, dense*PageSize, unix.PROT_READ, unix.MAP_SHARED); err != nil {
		return mapError(err)
	}
	return nil
}

func (im *memfdImage) mark(n int, content []byte) {
	if im.marks == nil {
		im.marks = map[int][]byte{}
	}
	for ; len(content) > 0; n, content = n+1, content[PageSize:] {
		im.marks[n] = slices.Clone(content[:PageSize])
	}
}

func (im *memfdImage) Len() int { return len(im.data) + len(im.marks)*PageSize }

func (im *memfdImage) layout() []run { return im.runs }

func (im *memfdImage) page(n int) []byte {
	if off := n * PageSize; off < len(im.data) {
		return im.data[off : off+PageSize]
	}
	return im.marks[n]
}

func (im *memfdImage) Close() error {
	im.mu.Lock()
	defer im.mu.Unlock()
	if im.closed {
		return nil
	}
	im.closed = true
	var err error
	if im.fd >= 0 {
		err = unix.Close(im.fd)
		im.fd = -1
	}
	return errors.Join(err, im.unmapLocked())
}

func (im *memfdImage) unmapLocked() error {
	if !im.closed || im.refs > 0 || im.data == nil {
		return nil
	}
	data := im.data
	im.data = nil
	return unix.Munmap(data)
}

func (im *memfdImage) NewRegion(size, limit uint64) (Region, error) {
	im.mu.Lock()
	defer im.mu.Unlock()
	if im.closed {
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
	r.Start()
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
	cold  []uint8 // per page: resets in a row that found it unchanged, or a state
	kept  int     // pages in the state touched
	grown bool

	observed bool // by the image's warmth, once
}

func (r *mappedRegion) Observe() {
	if !r.observed {
		return
	}
	entries := make([]uint64, len(r.mem)/PageSize)
	if err := readPagemap(r.mem, entries); err != nil {
		r.image.warm.abandon(r)
		return
	}
	r.observed = false
	r.image.warm.observe(entries)
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

func (r *mappedRegion) Populate(p Range) {
	p.From &^= PageSize - 1
	p.To = (p.To + PageSize - 1) &^ (PageSize - 1)
	r.populate([]Range{p}, populateWritten)
}

func (r *mappedRegion) Free() error {
	if r.whole == nil {
		return nil
	}
	r.image.warm.abandon(r)
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
	r.image.warm.abandon(r)
	if r.grown {
		return 0, errGrown
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
	changed, from := 0, -1
	for i, e := range entries {
		give := false
		if isPrivate(e) {
			same := r.restore(i)
			if !same {
				changed++
			}
			give = r.chill(i, same)
		}
		switch {
		case give && from < 0:
			from = i
		case !give && from >= 0:
			if err := r.drop(from, i); err != nil {
				return changed, err
			}
			from = -1
		}
	}
	if from >= 0 {
		return changed, r.drop(from, pages)
	}
	return changed, nil
}

// maxKept bounds the pages of a region that are kept although resets find them
// unchanged: 1 MiB.
const maxKept = 256

// States of a page beyond counting the resets that found it unchanged.
const (
	given   = 254 // it was given back
	touched = 255 // it came back: uses touch it and leave it as it was
)

// chill notes what a reset found and reports whether to give the page back.
func (r *mappedRegion) chill(i int, same bool) bool {
	switch c := &r.cold[i]; {
	case *c == touched:
	case *c == given && r.kept < maxKept:
		*c = touched
		r.kept++
	case *c == given:
		*c = 0
	case !same:
		*c = 0
	default:
		if *c++; *c >= coldAfter {
			*c = given
			return true
		}
	}
	return false
}

// restore puts page i back to the image's content and reports whether it had it.
func (r *mappedRegion) restore(i int) bool {
	page := r.mem[i*PageSize : (i+1)*PageSize]
	want := r.image.page(i)
	if want == nil {
		want = zeroPage[:]
	}
	if bytes.Equal(page, want) {
		return true
	}
	copy(page, want)
	return false
}

func (r *mappedRegion) Empty() error {
	r.image.warm.abandon(r)
	if r.grown {
		return errGrown
	}
	clear(r.cold)
	r.kept = 0
	if all, _ := r.advise(leaveTables(r.mem), unix.MADV_DONTNEED); all {
		return nil
	}
	return unix.Madvise(r.mem, unix.MADV_DONTNEED)
}

// leaveTables divides mem so that no range covers all that a page table maps:
// Linux frees the table of such a range (CONFIG_PT_RECLAIM), and the next use would
// need a new one.
func leaveTables(mem []byte) []Range {
	const table = PageSize / 8 * PageSize
	at := uint64(uintptr(unsafe.Pointer(&mem[0])))
	var ranges []Range
	for from, end := uint64(0), uint64(len(mem)); from < end; {
		to := min(end, from+table-(at+from)%table)
		if to-from > PageSize {
			ranges = append(ranges, Range{from, to - PageSize})
		}
		ranges = append(ranges, Range{to - PageSize, to})
		from = to
	}
	return ranges
}

func (r *mappedRegion) Start() {
	r.image.warm.start(r)
	r.copyMarks(0, len(r.mem)/PageSize)
}

// Snapshot reads only what the region made private: the image has the rest.
func (r *mappedRegion) Snapshot(scratch ...Range) (Image, error) {
	pages := len(r.mem) / PageSize
	entries := make([]uint64, pages)
	if err := readPagemap(r.mem, entries); err != nil {
		for i := range entries {
			entries[i] = pagePresent
		}
	}
	inherited := make([]bool, pages)
	for _, run := range r.image.runs {
		for i := run.page; i < run.end(); i++ {
			inherited[i] = true
		}
	}
	var runs []run
	for i, e := range entries {
		holds := inherited[i]
		if isPrivate(e) {
			clearScratch(r.mem, i, scratch)
			holds = !isZero(r.mem[i*PageSize : (i+1)*PageSize])
		}
		if holds {
			runs = appendPage(runs, i)
		}
	}
	return newImage(runs, func(page, count int) ([]byte, error) {
		return r.mem[page*PageSize : (page+count)*PageSize], nil
	})
}

func (r *mappedRegion) drop(from, to int) error {
	if err := unix.Madvise(r.mem[from*PageSize:to*PageSize], unix.MADV_DONTNEED); err != nil {
		return fmt.Errorf("cow: madvise: %w", err)
	}
	r.copyMarks(from, to)
	return nil
}

func (r *mappedRegion) copyMarks(from, to int) {
	for page, content := range r.image.marks {
		if page >= from && page < to {
			copy(r.mem[page*PageSize:], content)
		}
	}
}

// Bits of a pagemap entry, Documentation/admin-guide/mm/pagemap.rst.
const (
	pagePresent = 1 << 63
	pageSwapped = 1 << 62 // or about to move
	pageIsFile  = 1 << 61
)

// isPrivate reports whether the page is the region's own, that is, not the
// image's and not untouched.
func isPrivate(e uint64) bool { return e&(pagePresent|pageSwapped) != 0 && e&pageIsFile == 0 }

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
