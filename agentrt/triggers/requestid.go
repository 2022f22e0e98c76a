package triggers

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"
)

const maxRequestID = 128

// requestID takes over the caller's X-Request-Id if it is made of letters, digits
// and "-_.:", or the trace id of a traceparent header (W3C Trace Context), or
// makes a new one.
func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); id != "" && len(id) <= maxRequestID && plain(id) {
		return id
	}
	if parts := strings.Split(r.Header.Get("Traceparent"), "-"); len(parts) == 4 && len(parts[1]) == 32 && plain(parts[1]) {
		return parts[1]
	}
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func plain(id string) bool {
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.:", c) >= 0:
		default:
			return false
		}
	}
	return true
}
