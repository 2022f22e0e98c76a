package extract

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// plainText decodes UTF-8, UTF-16 with a byte order mark, and else Windows-1252.
func plainText(data []byte) (string, error) {
	var text string
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		decoded, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(data)
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		text = string(decoded)
	case bytes.IndexByte(data, 0) >= 0:
		return "", fmt.Errorf("%w: it is no text, since it has zero bytes", ErrMalformed)
	case utf8.Valid(data):
		text = string(bytes.TrimPrefix(data, []byte("\ufeff")))
	default:
		decoded, err := charmap.Windows1252.NewDecoder().Bytes(data)
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		text = string(decoded)
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	if len(text) > MaxText {
		return "", errText
	}
	return text, nil
}
