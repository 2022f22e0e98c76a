package cow

import "testing"

// Pages that uses write to and leave as they were are given back once; those that
// come back stay, up to maxKept of them.
func TestResetKeepsTouchedPages(t *testing.T) {
	const pages = maxKept + 64
	region, err := images(t)["mapped"].NewRegion(4<<20, 4<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer region.Free()
	r := region.(*mappedRegion)
	from := len(r.mem)/PageSize - pages // zero in the image
	resident := func() (n int) {
		entries := make([]uint64, len(r.mem)/PageSize)
		if err := readPagemap(r.mem, entries); err != nil {
			t.Skip("no pagemap:", err)
		}
		for _, e := range entries[from:] {
			if isPrivate(e) {
				n++
			}
		}
		return n
	}
	touch := func(resets int) {
		for range resets {
			for i := range pages {
				r.mem[(from+i)*PageSize] = 0
			}
			if _, err := r.Reset(); err != nil {
				t.Fatal(err)
			}
		}
	}
	touch(coldAfter)
	if n := resident(); n != 0 {
		t.Errorf("%d pages are resident after %d resets that found them unchanged", n, coldAfter)
	}
	touch(1)
	if n := resident(); n != pages {
		t.Errorf("%d of %d pages are resident after they came back", n, pages)
	}
	touch(coldAfter)
	// The image's marks come back by themselves and take a few of the places.
	if n := resident(); n > maxKept || n < maxKept-maxMarks {
		t.Errorf("%d pages stay, want %d", n, maxKept)
	}
}
