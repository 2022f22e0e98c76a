package extract

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const maxColumns = 2000

// csvText has a paragraph for each row, with a line "column: value" for each value,
// so that a chunk says what its values are.
func csvText(ctx context.Context, data []byte, comma rune) (string, error) {
	text, err := plainText(data)
	if err != nil {
		return "", err
	}
	if comma == 0 {
		comma = delimiter(text)
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord, r.ReuseRecord = comma, true, -1, true
	var names []string
	w := new(writer)
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return w.String(), nil
		}
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		if len(row) > maxColumns {
			return "", fmt.Errorf("%w: a row has more than %d columns", ErrTooLarge, maxColumns)
		}
		if names == nil {
			for k, name := range row {
				if name = strings.TrimSpace(name); name == "" {
					name = "column " + strconv.Itoa(k+1)
				}
				names = append(names, strings.Clone(name))
			}
			continue
		}
		if w.Len() > 0 {
			w.write("\n")
		}
		for k, value := range row {
			if value = strings.Join(strings.Fields(value), " "); value == "" {
				continue
			}
			name := "column " + strconv.Itoa(k+1)
			if k < len(names) {
				name = names[k]
			}
			w.write(name, ": ", value, "\n")
		}
		if err := w.done(ctx); err != nil {
			return "", err
		}
	}
}

// delimiter is the most frequent of those in use, in the first line.
func delimiter(text string) rune {
	line, _, _ := strings.Cut(text, "\n")
	best := ','
	for _, c := range ";\t|" {
		if strings.Count(line, string(c)) > strings.Count(line, string(best)) {
			best = c
		}
	}
	return best
}

const maxDepth = 100

// jsonText has a line "path: value" for each value, and an empty line between the
// elements of the outermost array or of JSON Lines.
func jsonText(ctx context.Context, data []byte) (string, error) {
	text, err := plainText(data)
	if err != nil {
		return "", err
	}
	j := &jsonFlattener{Decoder: json.NewDecoder(strings.NewReader(text))}
	j.UseNumber()
	for {
		if err := j.value(ctx, "", 0); errors.Is(err, io.EOF) && !j.inside {
			return strings.TrimRight(j.String(), "\n") + "\n", nil
		} else if err != nil {
			return "", err
		}
		j.write("\n")
	}
}

type jsonFlattener struct {
	*json.Decoder
	writer
	inside bool // a value has begun
}

func (j *jsonFlattener) value(ctx context.Context, path string, depth int) error {
	if err := j.done(ctx); err != nil {
		return err
	}
	token, err := j.Token()
	switch {
	case errors.Is(err, io.EOF) && depth == 0:
		return io.EOF
	case err != nil:
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	case depth > maxDepth || len(path) > 4096:
		return fmt.Errorf("%w: it is nested more than %d deep", ErrTooLarge, maxDepth)
	}
	j.inside = true
	switch token {
	case json.Delim('['):
		for k := 0; j.More(); k++ {
			if depth == 0 && k > 0 {
				j.write("\n")
			}
			element := path
			if depth > 0 {
				element += "[" + strconv.Itoa(k) + "]"
			}
			if err := j.value(ctx, element, depth+1); err != nil {
				return err
			}
		}
		_, err = j.Token()
	case json.Delim('{'):
		for j.More() {
			key, err := j.Token()
			if err != nil {
				return fmt.Errorf("%w: %w", ErrMalformed, err)
			}
			name := fmt.Sprint(key)
			if path != "" {
				name = path + "." + name
			}
			if err := j.value(ctx, name, depth+1); err != nil {
				return err
			}
		}
		_, err = j.Token()
	case nil:
	default:
		if text := strings.Join(strings.Fields(fmt.Sprint(token)), " "); text != "" {
			if path != "" {
				j.write(path, ": ")
			}
			j.write(text, "\n")
		}
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if depth == 0 {
		j.inside = false
	}
	return nil
}
