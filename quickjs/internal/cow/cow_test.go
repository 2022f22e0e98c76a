package cow

import (
	"bytes"
	"testing"
)

func TestRegions(t *testing.T) {
	content := make([]byte, 1<<20)
	copy(content[PageSize:], "second page")
	copy(content[255*PageSize:], "end mark")
	mapped, err := NewImage(content)
	if err != nil {
		t.Fatal(err)
	}
	for name, im := range map[string]Image{"mapped": mapped, "copying": NewCopyingImage(content)} {
		t.Run(name, func(t *testing.T) {
			defer im.Close()
			a, err := im.NewRegion(2<<20, 4<<20)
			if err != nil {
				t.Fatal(err)
			}
			b, err := im.NewRegion(2<<20, 4<<20)
			if err != nil {
				t.Fatal(err)
			}
			want := append(bytes.Clone(content), make([]byte, 1<<20)...)
			for range 3 * 9 {
				if !bytes.Equal(a.Bytes(), want) {
					t.Fatal("a region does not start as the image")
				}
				a.Bytes()[0], a.Bytes()[PageSize], a.Bytes()[1500<<10] = 1, 2, 3
				if !bytes.Equal(b.Bytes(), want) {
					t.Fatal("a write shows in another region")
				}
				if n, err := a.Reset(); err != nil || n < 3 {
					t.Fatalf("Reset() = %d, %v, want at least 3 changed pages", n, err)
				}
			}
			for range 2 * coldAfterForTest {
				if _, err := a.Reset(); err != nil || !bytes.Equal(a.Bytes(), want) {
					t.Fatalf("after an idle Reset: %v", err)
				}
			}
			if a.Grow(8<<20) != nil {
				t.Error("Grow beyond the limit succeeded")
			}
			if got := a.Grow(3 << 20); len(got) != 3<<20 || !isZero(got[2<<20:]) {
				t.Errorf("Grow gave %d bytes", len(got))
			}
			if _, err := a.Reset(); err == nil {
				t.Error("Reset of a grown region succeeded")
			}
			if err := a.Free(); err != nil {
				t.Error(err)
			}
			if err := b.Free(); err != nil {
				t.Error(err)
			}
		})
	}
	if _, err := mapped.NewRegion(2<<20, 2<<20); mapped != nil && err == nil {
		if _, ok := mapped.(*copyingImage); !ok {
			t.Error("NewRegion of a closed image succeeded")
		}
	}
}

const coldAfterForTest = 8
