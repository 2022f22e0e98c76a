package cow

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrFormat reports that what Read got is no image.
var ErrFormat = errors.New("cow: not an image")

const (
	maxRuns   = 1 << 20 // 4 GiB of pages, every other one zero
	pieceSize = 64      // pages read at a time
)

// Write writes im in the form that Read reads: the number of runs, for each its
// first page and its number of pages, and their content; numbers are unsigned 32
// bits, little endian.
func Write(w io.Writer, im Image) error {
	runs := im.layout()
	head := binary.LittleEndian.AppendUint32(nil, uint32(len(runs)))
	for _, r := range runs {
		head = binary.LittleEndian.AppendUint32(head, uint32(r.page))
		head = binary.LittleEndian.AppendUint32(head, uint32(r.count))
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	for _, r := range runs {
		for n := r.page; n < r.end(); n++ {
			if _, err := w.Write(im.page(n)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Read returns the image that Write wrote, of at most limit bytes; copying asks
// for one as EmptyCopying makes them. It reads no further than the image's end.
func Read(r io.Reader, limit uint64, copying bool) (Image, error) {
	runs, err := readLayout(r, int(limit/PageSize))
	if err != nil {
		return nil, err
	}
	if copying {
		return newCopyingImage(runs, func(_, count int) ([]byte, error) {
			content := make([]byte, count*PageSize)
			_, err := io.ReadFull(r, content)
			return content, err
		})
	}
	piece := make([]byte, pieceSize*PageSize)
	return newImage(runs, func(_, count int) ([]byte, error) {
		content := piece[:count*PageSize]
		_, err := io.ReadFull(r, content)
		return content, err
	})
}

func readLayout(r io.Reader, pages int) ([]run, error) {
	var word [8]byte
	if _, err := io.ReadFull(r, word[:4]); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	count := binary.LittleEndian.Uint32(word[:])
	if count > maxRuns {
		return nil, fmt.Errorf("%w: %d runs", ErrFormat, count)
	}
	var runs []run
	for range count {
		if _, err := io.ReadFull(r, word[:]); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		next := run{int(binary.LittleEndian.Uint32(word[:])), int(binary.LittleEndian.Uint32(word[4:]))}
		if next.page < lastPage(runs) || next.count == 0 || next.end() > pages {
			return nil, fmt.Errorf("%w: the run of %d pages at page %d overlaps, is empty or passes page %d", ErrFormat, next.count, next.page, pages)
		}
		runs = append(runs, next)
	}
	return runs, nil
}
