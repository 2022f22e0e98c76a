package cow

// EmptyCopying returns an image without content whose regions are copies on the
// Go heap. It works on every platform.
func EmptyCopying() Image { return &copyingImage{} }

type copyingImage struct {
	runs []run
	data []byte
}

func newCopyingImage(runs []run, source func(page, count int) ([]byte, error)) (Image, error) {
	im := &copyingImage{runs: runs, data: make([]byte, lastPage(runs)*PageSize)}
	for _, r := range runs {
		content, err := source(r.page, r.count)
		if err != nil {
			return nil, err
		}
		copy(im.data[r.page*PageSize:], content)
	}
	return im, nil
}

func (im *copyingImage) Len() int { return len(im.data) }

func (im *copyingImage) Close() error { return nil }

func (im *copyingImage) layout() []run { return im.runs }

func (im *copyingImage) page(n int) []byte { return im.data[n*PageSize : (n+1)*PageSize] }

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
		return 0, errGrown
	}
	n := copy(r.mem, r.image.data)
	clear(r.mem[n:])
	return len(r.mem) / PageSize, nil
}

func (r *copyingRegion) Empty() error {
	_, err := r.Reset()
	return err
}

func (r *copyingRegion) Start() {}

func (r *copyingRegion) Snapshot(scratch ...Range) (Image, error) {
	var runs []run
	for n := range len(r.mem) / PageSize {
		clearScratch(r.mem, n, scratch)
		if !isZero(r.mem[n*PageSize : (n+1)*PageSize]) {
			runs = appendPage(runs, n)
		}
	}
	return newCopyingImage(runs, func(page, count int) ([]byte, error) {
		return r.mem[page*PageSize : (page+count)*PageSize], nil
	})
}

func (r *copyingRegion) Populate(Range) {}

func (r *copyingRegion) Observe() {}

func (r *copyingRegion) Free() error {
	r.mem = nil
	return nil
}
