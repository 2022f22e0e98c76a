package loader

import (
	"bytes"
	"encoding/json"
	"errors"
)

var errJSON = errors.New("unexpected end or character")

// splitObject returns the values of a JSON object, undecoded and without copying.
// Of values it checks only where they end. encoding/json takes ten times as long,
// since it validates and copies the sources.
func splitObject(text []byte) (map[string][]byte, error) {
	fields := map[string][]byte{}
	err := split(text, '{', '}', func(rest []byte) ([]byte, error) {
		n, err := valueLen(rest)
		if err != nil {
			return nil, err
		}
		var key string
		if err := json.Unmarshal(rest[:n], &key); err != nil {
			return nil, err
		}
		rest = trimSpace(rest[n:])
		if len(rest) == 0 || rest[0] != ':' {
			return nil, errJSON
		}
		rest = trimSpace(rest[1:])
		if n, err = valueLen(rest); err != nil {
			return nil, err
		}
		fields[key] = rest[:n]
		return rest[n:], nil
	})
	return fields, err
}

// splitArray returns the elements of a JSON array, undecoded and without copying.
func splitArray(text []byte) ([][]byte, error) {
	var elements [][]byte
	err := split(text, '[', ']', func(rest []byte) ([]byte, error) {
		n, err := valueLen(rest)
		if err != nil {
			return nil, err
		}
		elements = append(elements, rest[:n])
		return rest[n:], nil
	})
	return elements, err
}

// split calls element for each element between open and end; it returns what follows the element.
func split(text []byte, open, end byte, element func([]byte) ([]byte, error)) error {
	text = trimSpace(text)
	if len(text) == 0 || text[0] != open {
		return errJSON
	}
	text = trimSpace(text[1:])
	if len(text) > 0 && text[0] == end {
		return nil
	}
	for {
		rest, err := element(text)
		if err != nil {
			return err
		}
		rest = trimSpace(rest)
		if len(rest) == 0 {
			return errJSON
		}
		if rest[0] == end {
			return nil
		}
		if rest[0] != ',' {
			return errJSON
		}
		text = trimSpace(rest[1:])
	}
}

func trimSpace(text []byte) []byte { return bytes.TrimLeft(text, " \t\r\n") }

// valueLen returns the length of the JSON value at the start of text.
func valueLen(text []byte) (int, error) {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"':
			n := stringLen(text[i:])
			if n == 0 {
				return 0, errJSON
			}
			i += n - 1
			if depth == 0 {
				return i + 1, nil
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1, nil
			} else if depth < 0 {
				return i, nil // the end of a number or literal
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i, nil
			}
		}
	}
	return 0, errJSON
}

// stringLen returns the length of the JSON string at the start of text, 0 if it does not end.
func stringLen(text []byte) int {
	for i := 1; i < len(text); {
		end := bytes.IndexByte(text[i:], '"')
		if end < 0 {
			return 0
		}
		end += i
		backslashes := 0
		for text[end-1-backslashes] == '\\' {
			backslashes++
		}
		if i = end + 1; backslashes%2 == 0 {
			return i
		}
	}
	return 0
}
