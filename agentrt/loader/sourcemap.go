package loader

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"
	"unicode/utf8"
)

// SourceMap is the source map of a bundle, version 3 (https://tc39.es/ecma426/),
// with the sources' content. It finds TypeScript positions of stack frames. Beside
// the map's bytes it holds a small index; a source is decoded when an excerpt asks
// for a line of it. It may be used from several goroutines.
type SourceMap struct {
	// file and hash are set instead of raw until the map is read.
	file, hash string
	read       sync.Mutex
	raw        []byte

	once sync.Once
	err  error

	mappings *mappings
	sources  []string
	contents [][]byte // the JSON strings in raw
}

// NewSourceMap returns a map of raw, which must not be changed later. raw is read
// when it is first needed; Prepare does that ahead of time.
func NewSourceMap(raw []byte) *SourceMap {
	return &SourceMap{raw: raw}
}

// Bytes returns the map's JSON, which must not be changed. It reads and verifies the
// file of a bundle that comes from Read or from the cache.
func (m *SourceMap) Bytes() ([]byte, error) {
	m.read.Lock()
	defer m.read.Unlock()
	if m.raw == nil && m.file != "" {
		raw, err := readHashed(m.file, MaxSourceMap, m.hash)
		if err != nil {
			return nil, fmt.Errorf("reading the source map: %w", err)
		}
		m.raw = raw
	}
	return m.raw, nil
}

// Prepare reads and indexes the map, some 15 ms for 10 MB, so that the first error
// of a request does not wait for it: call it on a goroutine of its own after
// loading. It returns an error if the map is missing, malformed or larger than
// MaxSourceMap; stacks then stay as they are.
func (m *SourceMap) Prepare() error {
	m.once.Do(func() { m.err = m.index() })
	return m.err
}

func (m *SourceMap) index() error {
	raw, err := m.Bytes()
	if err != nil {
		return err
	}
	if err := checkSizes(0, int64(len(raw))); err != nil {
		return err
	}
	fields, err := splitObject(raw)
	if err != nil {
		return fmt.Errorf("the source map is malformed: %w", err)
	}
	if string(fields["version"]) != "3" {
		return errors.New("the source map is malformed: its version is not 3")
	}
	if err := json.Unmarshal(fields["sources"], &m.sources); err != nil {
		return fmt.Errorf("the source map is malformed: sources: %w", err)
	}
	for i, s := range m.sources {
		m.sources[i] = displayPath(path.Join(distFolder, s))
	}
	if content := fields["sourcesContent"]; len(content) > 0 {
		if m.contents, err = splitArray(content); err != nil {
			return fmt.Errorf("the source map is malformed: sourcesContent: %w", err)
		}
	}
	text := fields["mappings"]
	if len(text) < 2 || text[0] != '"' || bytes.IndexByte(text, '\\') >= 0 {
		return errors.New("the source map is malformed: mappings is no plain string")
	}
	m.mappings, err = newMappings(text[1 : len(text)-1])
	if err != nil {
		return fmt.Errorf("the source map is malformed: %w", err)
	}
	return nil
}

// original maps a generated position, counted from 1.
func (m *SourceMap) original(line, column int) (position, string, bool) {
	if m.Prepare() != nil {
		return position{}, "", false
	}
	p, ok := m.mappings.find(line-1, column-1)
	if !ok || p.source < 0 || p.source >= len(m.sources) {
		return position{}, "", false
	}
	return p, m.sources[p.source], true
}

// Excerpt shows the frame's source line with its number and a caret below the
// column; a long line is cut to 120 characters. It is empty for frames without a
// known source.
func (m *SourceMap) Excerpt(f Frame) string {
	if m.Prepare() != nil || f.Line < 1 {
		return ""
	}
	for i, name := range m.sources {
		if name != f.File || i >= len(m.contents) {
			continue
		}
		text, ok := jsonLine(m.contents[i], f.Line-1)
		if !ok {
			return ""
		}
		return excerpt(f.Line, text, runesOf(text, f.Column-1))
	}
	return ""
}

// jsonLine returns a line of a JSON string without decoding the others.
func jsonLine(content []byte, line int) (string, bool) {
	if len(content) < 2 || content[0] != '"' {
		return "", false
	}
	content = content[1 : len(content)-1]
	start := 0
	for i := 0; i+1 < len(content); i++ {
		if content[i] != '\\' {
			continue
		}
		if content[i+1] == 'n' {
			if line == 0 {
				content = content[:i]
				break
			}
			line--
			start = i + 2
		}
		i++
	}
	if line > 0 {
		return "", false
	}
	var text string
	if json.Unmarshal([]byte(`"`+string(content[start:])+`"`), &text) != nil {
		return "", false
	}
	return strings.TrimSuffix(text, "\r"), true
}

// runesOf converts a number of UTF-16 code units at the start of text to one of runes.
func runesOf(text string, units int) int {
	runes := 0
	for _, r := range text {
		if units <= 0 {
			break
		}
		units--
		if utf8.RuneLen(r) == 4 {
			units--
		}
		runes++
	}
	return runes
}
