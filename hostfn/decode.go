package hostfn

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	// maxCodings bounds the content codings that are undone for one body.
	maxCodings = 3
	// A body that grew by more than maxRatio is a bomb once it has freeOutput bytes.
	maxRatio   = 250
	freeOutput = 8 << 20
)

// codings returns the content codings of a response from the outermost inwards,
// or nothing if one of them is unknown here.
func codings(header []string) []string {
	var list []string
	for name := range strings.SplitSeq(strings.ToLower(strings.Join(header, ",")), ",") {
		switch name = strings.TrimSpace(name); name {
		case "", "identity":
		case "gzip", "x-gzip", "deflate":
			list = append(list, name)
		default:
			return nil
		}
	}
	if len(list) > maxCodings {
		return nil
	}
	slices.Reverse(list)
	return list
}

// decoder undoes content codings as the body is read; it does not wait for the
// first bytes before that.
type decoder struct {
	body   io.ReadCloser
	list   []string
	limit  int64
	in     counter
	out    int64
	reader io.Reader
}

func newDecoder(body io.ReadCloser, list []string, limit int64) *decoder {
	return &decoder{body: body, list: list, limit: limit, in: counter{r: body}}
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (d *decoder) Read(p []byte) (int, error) {
	if d.reader == nil {
		var r io.Reader = &d.in
		for _, name := range d.list {
			var err error
			if r, err = decompress(name, r); err != nil {
				return 0, err
			}
		}
		d.reader = r
	}
	n, err := d.reader.Read(p)
	d.out += int64(n)
	switch {
	case d.limit >= 0 && d.out > d.limit:
		return 0, cause{fmt.Sprintf("the response has more than %d bytes when decompressed", d.limit), "ERR_DECOMPRESSED_SIZE"}
	case d.out > freeOutput && d.out/maxRatio > d.in.n:
		return 0, cause{fmt.Sprintf("the response grows more than %d times when decompressed", maxRatio), "ERR_DECOMPRESSED_SIZE"}
	}
	return n, decodeError(err)
}

func (d *decoder) Close() error { return d.body.Close() }

func decompress(name string, r io.Reader) (io.Reader, error) {
	in := bufio.NewReader(r)
	head, err := in.Peek(2)
	if len(head) == 0 {
		return nil, err // io.EOF for a body without bytes
	}
	if name != "deflate" {
		z, err := gzip.NewReader(in)
		return z, decodeError(err)
	}
	// RFC 9110 says zlib, some servers send it without the wrapper.
	if len(head) == 2 && head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
		z, err := zlib.NewReader(in)
		return z, decodeError(err)
	}
	return flate.NewReader(in), nil
}

// decodeError tells damaged data from a failing connection.
func decodeError(err error) error {
	_, corrupt := err.(flate.CorruptInputError)
	if !corrupt && !slices.Contains([]error{gzip.ErrHeader, gzip.ErrChecksum, zlib.ErrHeader, zlib.ErrChecksum}, err) {
		return err
	}
	return cause{"the response's compressed data is damaged: " + err.Error(), "ERR_CONTENT_DECODING"}
}
