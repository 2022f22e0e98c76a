package cow

import (
	"bytes"
	"slices"
	"testing"
)

func TestWarmPages(t *testing.T) {
	for name, single := range map[string]bool{"together": false, "one by one": true} {
		t.Run(name, func(t *testing.T) {
			before := oneByOne.Swap(single)
			defer oneByOne.Store(before)
			testWarmPages(t)
		})
	}
}

func testWarmPages(t *testing.T) {
	im := images(t)["mapped"]
	use := func() *mappedRegion {
		r, err := im.NewRegion(2<<20, 2<<20)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Free() })
		return r.(*mappedRegion)
	}
	private := func(r *mappedRegion) (pages []int) {
		entries := make([]uint64, len(r.mem)/PageSize)
		if err := readPagemap(r.mem, entries); err != nil {
			t.Skip("no pagemap:", err)
		}
		for i, e := range entries {
			if isPrivate(e) {
				pages = append(pages, i)
			}
		}
		if !bytes.Equal(r.Bytes(), content()) {
			t.Error("a region does not start as the image")
		}
		return pages
	}
	for range firstObserved {
		r := use()
		r.mem[1*PageSize], r.mem[50*PageSize], r.mem[300*PageSize] = 1, 2, 3
		r.Observe()
	}
	// 100 and 255 lie behind long runs of zeros: every region copies them.
	r := use()
	if got, want := private(r), []int{1, 50, 100, 255, 300}; !slices.Equal(got, want) {
		t.Errorf("a new region has the pages %v, want %v", got, want)
	}
	for made := firstObserved + 1; made < 3*observeEvery; made++ {
		r := use()
		r.mem[1*PageSize], r.mem[60*PageSize] = 1, 2
		r.Observe()
		if err := r.Free(); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := private(use()), []int{1, 60, 100, 255}; !slices.Equal(got, want) {
		t.Errorf("after uses have changed a new region has the pages %v, want %v", got, want)
	}
}

// TestObservedAtOnce holds the regions to observe while others are made.
func TestObservedAtOnce(t *testing.T) {
	im := images(t)["mapped"]
	var regions []*mappedRegion
	for range firstObserved + 2 {
		r, err := im.NewRegion(2<<20, 2<<20)
		if err != nil {
			t.Fatal(err)
		}
		regions = append(regions, r.(*mappedRegion))
	}
	observed := func() (n int) {
		for _, r := range regions {
			if r.observed {
				n++
			}
		}
		return n
	}
	if n := observed(); n != firstObserved {
		t.Errorf("%d regions are observed at once, want %d", n, firstObserved)
	}
	if err := regions[0].Free(); err != nil {
		t.Fatal(err)
	}
	r, err := im.NewRegion(2<<20, 2<<20)
	if err != nil {
		t.Fatal(err)
	}
	if regions[0] = r.(*mappedRegion); !regions[0].observed {
		t.Error("nothing takes the place of a region that was freed without an observation")
	}
	for _, r := range regions {
		r.Observe()
		if err := r.Free(); err != nil {
			t.Fatal(err)
		}
	}
	if w := &regions[0].image.warm; w.observing != 0 || w.learned != firstObserved {
		t.Errorf("%d are being observed and %d were, want 0 and %d", w.observing, w.learned, firstObserved)
	}
}
