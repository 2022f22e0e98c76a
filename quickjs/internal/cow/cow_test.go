package cow

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// content is an image with a zero run, dense pages and, far behind, an end mark.
func content() []byte {
	mem := make([]byte, 2<<20)
	copy(mem[PageSize:], "second page")
	copy(mem[100*PageSize:], "dense")
	copy(mem[255*PageSize:], "end mark")
	return mem
}

func images(t *testing.T) map[string]Image {
	all := map[string]Image{"mapped": Empty(), "copying": EmptyCopying()}
	for name, empty := range all {
		r, err := empty.NewRegion(2<<20, 2<<20)
		if err != nil {
			t.Fatal(err)
		}
		copy(r.Bytes(), content())
		copy(r.Bytes()[7*PageSize+1:], "scratch")
		im, err := r.Snapshot(Range{7*PageSize + 1, 8 * PageSize})
		if err := errors.Join(err, r.Free(), empty.Close()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { im.Close() })
		all[name] = im
	}
	return all
}

func TestRegions(t *testing.T) {
	for name, im := range images(t) {
		t.Run(name, func(t *testing.T) {
			a, err := im.NewRegion(2<<20, 4<<20)
			if err != nil {
				t.Fatal(err)
			}
			b, err := im.NewRegion(2<<20, 4<<20)
			if err != nil {
				t.Fatal(err)
			}
			want := content()
			for range 3 * coldAfterForTest {
				if !bytes.Equal(a.Bytes(), want) {
					t.Fatal("a region does not start as the image")
				}
				a.Bytes()[0], a.Bytes()[PageSize], a.Bytes()[255*PageSize], a.Bytes()[1500<<10] = 1, 2, 3, 4
				if !bytes.Equal(b.Bytes(), want) {
					t.Fatal("a write shows in another region")
				}
				if n, err := a.Reset(); err != nil || n < 4 {
					t.Fatalf("Reset() = %d, %v, want at least 4 changed pages", n, err)
				}
				b.Bytes()[0], b.Bytes()[PageSize], b.Bytes()[255*PageSize], b.Bytes()[1500<<10] = 1, 2, 3, 4
				if err := b.Empty(); err != nil {
					t.Fatal(err)
				}
				b.Start()
			}
			for range 2 * coldAfterForTest {
				if _, err := a.Reset(); err != nil || !bytes.Equal(a.Bytes(), want) {
					t.Fatalf("after an idle Reset: %v", err)
				}
			}
			if a.Grow(8<<20) != nil {
				t.Error("Grow beyond the limit succeeded")
			}
			if got := a.Grow(3 << 20); len(got) != 3<<20 || !bytes.Equal(got[2<<20:], make([]byte, 1<<20)) {
				t.Errorf("Grow gave %d bytes", len(got))
			}
			if _, err := a.Reset(); err == nil {
				t.Error("Reset of a grown region succeeded")
			}
			if err := errors.Join(a.Free(), b.Free()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSnapshotOfSnapshot(t *testing.T) {
	for name, im := range images(t) {
		t.Run(name, func(t *testing.T) {
			r, err := im.NewRegion(2<<20, 4<<20)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Free()
			mem := r.Grow(3 << 20)
			clear(mem[100*PageSize : 101*PageSize])
			mem[50*PageSize], mem[len(mem)-1] = 5, 6
			want := bytes.Clone(mem)
			second, err := r.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			defer second.Close()
			var file bytes.Buffer
			if err := Write(&file, second); err != nil {
				t.Fatal(err)
			}
			for _, copying := range []bool{false, true} {
				read, err := Read(bytes.NewReader(file.Bytes()), 3<<20, copying)
				if err != nil {
					t.Fatal(err)
				}
				defer read.Close()
				for _, im := range []Image{second, read} {
					r, err := im.NewRegion(3<<20, 3<<20)
					if err != nil {
						t.Fatal(err)
					}
					if !bytes.Equal(r.Bytes(), want) {
						t.Errorf("copying %v: the content differs", copying)
					}
					if err := r.Free(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":  "",
		"too many": "\xff\xff\xff\xff",
		"short":    "\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00x",
		"overlap":  "\x02\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00",
		"too long": "\x01\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff",
		"empty":    "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
	} {
		for _, copying := range []bool{false, true} {
			_, err := Read(bytes.NewReader([]byte(text)), 1<<20, copying)
			if !errors.Is(err, ErrFormat) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: Read() error = %v", name, err)
			}
		}
	}
}

func TestClosedImage(t *testing.T) {
	im := images(t)["mapped"]
	im.Close()
	if _, ok := im.(*copyingImage); ok {
		t.Skip("this platform copies")
	}
	if _, err := im.NewRegion(2<<20, 2<<20); !errors.Is(err, ErrClosed) {
		t.Errorf("NewRegion of a closed image: %v", err)
	}
}

const coldAfterForTest = 8
