package modelserver

import (
	"regexp"
	"sync"
)

// lazily compiles at its first use: the binary that embeds this server starts
// without it.
func lazily(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}
