package benchmarks

import (
	"bufio"
	"io"
	"strings"
)

// eventReader gives the data of server-sent events that have one line each.
type eventReader struct{ lines *bufio.Reader }

func newEventReader(r io.Reader) eventReader { return eventReader{bufio.NewReader(r)} }

func (e eventReader) next() (data string, err error) {
	for {
		line, err := e.lines.ReadString('\n')
		if rest, ok := strings.CutPrefix(line, "data: "); ok {
			return strings.TrimSpace(rest), nil
		}
		if err != nil {
			return "", err
		}
	}
}
