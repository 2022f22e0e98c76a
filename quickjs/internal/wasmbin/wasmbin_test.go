package wasmbin

import (
	"bytes"
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
)

// module encodes sections given as ID and body, with the sizes filled in.
func module(sections ...string) []byte {
	m := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range sections {
		m = append(m, s[0])
		m = AppendU32(m, uint32(len(s)-1))
		m = append(m, s[1:]...)
	}
	return m
}

func TestCursorIntegers(t *testing.T) {
	u32 := func(c *Cursor) (int64, error) { v, err := c.U32(); return int64(v), err }
	s32 := func(c *Cursor) (int64, error) { v, err := c.S32(); return int64(v), err }
	s33 := (*Cursor).S33
	s64 := func(c *Cursor) (int64, error) { return 0, c.SkipS64() }
	for _, tt := range []struct {
		name string
		read func(*Cursor) (int64, error)
		in   string
		want int64
		err  string
	}{
		{"u32 zero", u32, "\x00", 0, ""},
		{"u32 two bytes", u32, "\xe5\x8e\x26", 624485, ""},
		{"u32 padded", u32, "\x81\x80\x80\x80\x00", 1, ""},
		{"u32 max", u32, "\xff\xff\xff\xff\x0f", math.MaxUint32, ""},
		{"u32 33 bits", u32, "\xff\xff\xff\xff\x1f", 0, "does not fit 32 unsigned bits"},
		{"u32 six bytes", u32, "\x80\x80\x80\x80\x80\x00", 0, "does not fit 32 unsigned bits"},
		{"u32 truncated", u32, "\x80", 0, "unexpected EOF"},
		{"s32 minus one", s32, "\x7f", -1, ""},
		{"s32 64", s32, "\xc0\x00", 64, ""},
		{"s32 -123456", s32, "\xc0\xbb\x78", -123456, ""},
		{"s32 min", s32, "\x80\x80\x80\x80\x78", math.MinInt32, ""},
		{"s32 max", s32, "\xff\xff\xff\xff\x07", math.MaxInt32, ""},
		{"s32 too large", s32, "\xff\xff\xff\xff\x0f", 0, "does not fit 32 signed bits"},
		{"s32 too small", s32, "\x80\x80\x80\x80\x70", 0, "does not fit 32 signed bits"},
		{"s32 six bytes", s32, "\x80\x80\x80\x80\x80\x00", 0, "does not fit 32 signed bits"},
		{"s32 empty", s32, "", 0, "unexpected EOF"},
		{"s33 max u32", s33, "\xff\xff\xff\xff\x0f", math.MaxUint32, ""},
		{"s33 block type empty", s33, "\x40", -64, ""},
		{"s33 too large", s33, "\xff\xff\xff\xff\x1f", 0, "does not fit 33 signed bits"},
		{"s64 min", s64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", 0, ""},
		{"s64 max", s64, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00", 0, ""},
		{"s64 too large", s64, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 0, "does not fit 64 signed bits"},
		{"s64 eleven bytes", s64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 0, "does not fit 64 signed bits"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := NewCursor([]byte(tt.in), 0x20)
			got, err := tt.read(c)
			checkError(t, err, tt.err)
			if tt.err != "" {
				return
			}
			if got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
			if c.Len() != 0 || c.Offset() != 0x20+len(tt.in) {
				t.Errorf("%d bytes left at offset %#x", c.Len(), c.Offset())
			}
		})
	}
}

func TestAppendIntegers(t *testing.T) {
	for _, v := range []int64{0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, -8193, math.MaxInt32, math.MinInt32, math.MaxUint32} {
		u, err := NewCursor(AppendU32(nil, uint32(v)), 0).U32()
		if err != nil || u != uint32(v) {
			t.Errorf("u32 %d: got %d, %v", uint32(v), u, err)
		}
		s, err := NewCursor(AppendS32(nil, int32(v)), 0).S32()
		if err != nil || s != int32(v) {
			t.Errorf("s32 %d: got %d, %v", int32(v), s, err)
		}
	}
	if got := AppendS32(nil, -64); !bytes.Equal(got, []byte{0x40}) {
		t.Errorf("s32 -64 is % x, want one byte", got)
	}
}

func TestCursorName(t *testing.T) {
	for _, tt := range []struct{ name, in, want, err string }{
		{"name", "\x04tick", "tick", ""},
		{"empty", "\x00", "", ""},
		{"truncated", "\x04tic", "", "offset 0x1: read 4 bytes, 3 left: unexpected EOF"},
		{"huge length", "\xff\xff\xff\xff\x0fx", "", "unexpected EOF"},
		{"not UTF-8", "\x01\xff", "", "offset 0x0: name is not valid UTF-8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := NewCursor([]byte(tt.in), 0).Name()
			checkError(t, err, tt.err)
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSections(t *testing.T) {
	m := module("\x00\x01x", "\x01\x00", "\x0c\x01", "\x00\x01y", "\x0a\x00", "\x0b\x00")
	sections, err := Sections(m)
	if err != nil {
		t.Fatal(err)
	}
	want := []Section{
		{SectionCustom, []byte("\x01x"), 10},
		{SectionType, []byte{0}, 14},
		{SectionDataCount, []byte{1}, 17},
		{SectionCustom, []byte("\x01y"), 20},
		{SectionCode, []byte{0}, 24},
		{SectionData, []byte{0}, 27},
	}
	if !reflect.DeepEqual(sections, want) {
		t.Errorf("got %v, want %v", sections, want)
	}
	if got := Encode(sections); !bytes.Equal(got, m) {
		t.Errorf("Encode(Sections(m)) = % x, want % x", got, m)
	}
}

func TestSectionsErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []byte
		err  string
	}{
		{"empty", nil, "not a WebAssembly version 1 module"},
		{"magic", []byte("\x00ASM\x01\x00\x00\x00"), "not a WebAssembly version 1 module"},
		{"component", []byte("\x00asm\x0d\x00\x01\x00"), "not a WebAssembly version 1 module"},
		{"no size", []byte("\x00asm\x01\x00\x00\x00\x01"), "section 1: offset 0x9: read byte: unexpected EOF"},
		{"short body", []byte("\x00asm\x01\x00\x00\x00\x01\x05\x00"), "section 1: offset 0xa: read 5 bytes, 1 left: unexpected EOF"},
		{"unknown", module("\x0d\x00"), "offset 0x8: unknown section 13"},
		{"repeated", module("\x01\x00", "\x01\x00"), "offset 0xb: section 1 is repeated or out of order"},
		{"out of order", module("\x0a\x00", "\x0c\x00"), "offset 0xb: section 12 is repeated or out of order"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Sections(tt.in)
			checkError(t, err, tt.err)
			_, err = DataSegments(tt.in)
			checkError(t, err, tt.err)
		})
	}
}

func TestWithout(t *testing.T) {
	m := module("\x00\x01x", "\x01\x00", "\x0c\x01", "\x00\x01y", "\x0a\x00", "\x0b\x00")
	for _, tt := range []struct {
		name string
		ids  []byte
		want []byte
	}{
		{"nothing", nil, m},
		{"absent", []byte{SectionTable}, m},
		{"data", []byte{SectionData, SectionDataCount, SectionCustom}, module("\x01\x00", "\x0a\x00")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sections, err := Sections(m)
			if err != nil {
				t.Fatal(err)
			}
			got := Encode(Without(sections, tt.ids...))
			if !bytes.Equal(got, tt.want) {
				t.Errorf("got % x, want % x", got, tt.want)
			}
		})
	}
}

func TestDataSegments(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       []DataSegment
		err        string
	}{
		{"none", "\x00", nil, ""},
		{"two", "\x02" + "\x00\x41\x08\x0b\x03abc" + "\x02\x00\x41\x80\x80\x80\x80\x78\x0b\x00", []DataSegment{
			{8, []byte("abc")},
			{1 << 31, []byte{}},
		}, ""},
		{"passive", "\x01\x01\x01a", nil, "data section: segment 0: offset 0xb: passive segments are not supported"},
		{"memory 1", "\x01\x02\x01\x41\x00\x0b\x00", nil, "memory 1 is not supported"},
		{"kind", "\x01\x03", nil, "unknown segment kind 3"},
		{"global offset", "\x01\x00\x23\x00\x0b\x00", nil, "segment 0: offset 0xc: segment offset is not an i32.const"},
		{"extended offset", "\x01\x00\x41\x00\x41\x00\x6a\x0b\x00", nil, "not a single i32.const"},
		{"truncated bytes", "\x01\x00\x41\x00\x0b\x04abc", nil, "unexpected EOF"},
		{"fewer than counted", "\x02\x00\x41\x00\x0b\x00", nil, "segment 1: offset 0x10: read byte: unexpected EOF"},
		{"trailing bytes", "\x00\x00", nil, "offset 0xb: 1 bytes after the last segment"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := DataSegments(module("\x0b" + tt.body))
			checkError(t, err, tt.err)
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	if got, err := DataSegments(module("\x01\x00")); got != nil || err != nil {
		t.Errorf("without data section: got %v, %v", got, err)
	}
}

func TestDataSegmentsTruncated(t *testing.T) {
	body := "\x02" + "\x00\x41\x08\x0b\x03abc" + "\x02\x00\x41\x80\x80\x80\x80\x78\x0b\x00"
	for n := range body {
		if _, err := DataSegments(module("\x0b" + body[:n])); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d bytes: got %v, want unexpected EOF", n, err)
		}
	}
}

// checkError fails the test unless err contains want, or is nil when want is
// empty.
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Fatalf("unexpected error: %v", err)
	case want != "" && err == nil:
		t.Fatalf("no error, want %q", want)
	case want != "" && !strings.Contains(err.Error(), want):
		t.Fatalf("got error %q, want %q", err, want)
	}
}

func TestEmptyFunctions(t *testing.T) {
	types, functions := "\x01\x01\x60\x00\x00", "\x03\x02\x00\x00"
	full := module(types, functions, "\x0a\x02\x04\x00\x41\x01\x1a\x0b\x02\x00\x0b")
	sections, err := Sections(full)
	if err != nil {
		t.Fatal(err)
	}
	if err := EmptyFunctions(sections); err != nil {
		t.Fatal(err)
	}
	if got, want := Encode(sections), module(types, functions, "\x0a\x02\x03\x00\x00\x0b\x03\x00\x00\x0b"); !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
	if err := EmptyFunctions([]Section{{ID: SectionCode, Body: []byte("\xff\xff\xff\xff\x0f")}}); err == nil {
		t.Error("a count beyond the section is accepted")
	}
}
