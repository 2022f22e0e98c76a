//go:build !linux

package cow

// Empty returns an image without content: a copying one on this platform.
func Empty() Image { return EmptyCopying() }

func newImage(runs []run, source func(page, count int) ([]byte, error)) (Image, error) {
	return newCopyingImage(runs, source)
}
