package loader

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// Limits of a .env file.
const (
	maxEnvFile = 1 << 20
	maxEnvVars = 1_000
)

// ReadEnv reads the file .env in a functions folder; without one the result is
// empty. A line is NAME=value, with an optional "export" before it; text after " #"
// and lines that start with # are comments. A value in single quotes is literal; in
// double quotes \n, \r, \t, \" and \\ are escapes; quoted values may span lines.
// Nothing is interpolated. The last of several equal names counts. A file has at
// most 1 MiB and 1,000 variables. Errors name the line and never show a value.
func ReadEnv(dir string) (map[string]string, error) {
	content, err := readLimited(filepath.Join(dir, ".env"), maxEnvFile)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading .env: %w", err)
	}
	vars, err := parseEnv(content)
	if err != nil {
		return nil, fmt.Errorf("reading .env: %w", err)
	}
	return vars, nil
}

func parseEnv(content []byte) (map[string]string, error) {
	if !utf8.Valid(content) {
		return nil, errors.New("the file is not UTF-8")
	}
	vars := map[string]string{}
	text := strings.ReplaceAll(string(bytes.TrimPrefix(content, []byte("\ufeff"))), "\r\n", "\n")
	for number := 1; text != ""; {
		name, value, rest, err := parseEnvLine(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if name != "" {
			vars[name] = value
		}
		if len(vars) > maxEnvVars {
			return nil, fmt.Errorf("line %d: more than %d variables", number, maxEnvVars)
		}
		number += strings.Count(text[:len(text)-len(rest)], "\n")
		text = rest
	}
	return vars, nil
}

// parseEnvLine reads the first entry of text; name is empty for blank lines and comments.
func parseEnvLine(text string) (name, value, rest string, err error) {
	line, rest, _ := strings.Cut(text, "\n")
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return "", "", rest, nil
	}
	name, _, ok := strings.Cut(line, "=")
	if !ok {
		return "", "", "", errors.New("there is no =: a line is NAME=value")
	}
	if after, ok := strings.CutPrefix(name, "export"); ok && strings.TrimLeft(after, " \t") != after {
		name = after
	}
	if name = strings.TrimSpace(name); !isEnvName(name) {
		return "", "", "", errors.New("the text before = is no name: it consists of letters, digits, _ and ., and starts with no digit")
	}
	_, raw, _ := strings.Cut(text, "=")
	raw = strings.TrimLeft(raw, " \t")
	if raw == "" || raw[0] != '"' && raw[0] != '\'' {
		_, value, _ = strings.Cut(line, "=")
		return name, trimComment(value), rest, nil
	}
	value, raw, err = parseQuoted(raw)
	if err != nil {
		return "", "", "", err
	}
	after, rest, _ := strings.Cut(raw, "\n")
	if after = strings.TrimSpace(after); after != "" && after[0] != '#' {
		return "", "", "", errors.New("there is text after the closing quote")
	}
	return name, value, rest, nil
}

// parseQuoted reads a value in quotes at the start of text.
func parseQuoted(text string) (value, rest string, err error) {
	quote := text[0]
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == quote:
			return b.String(), text[i+1:], nil
		case c == '\\' && quote == '"' && i+1 < len(text):
			i++
			switch text[i] {
			case 'n':
				b.WriteByte('\n')
			case 'r':
				b.WriteByte('\r')
			case 't':
				b.WriteByte('\t')
			case '"', '\\':
				b.WriteByte(text[i])
			default:
				b.WriteString(text[i-1 : i+1])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", "", errors.New("the closing quote is missing")
}

// trimComment removes a comment and white space around an unquoted value.
func trimComment(value string) string {
	for i := range len(value) {
		if value[i] == '#' && (i == 0 || value[i-1] == ' ' || value[i-1] == '\t') {
			value = value[:i]
			break
		}
	}
	return strings.TrimSpace(value)
}

func isEnvName(s string) bool {
	for i, c := range []byte(s) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_'
		if !letter && (i == 0 || c != '.' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}
