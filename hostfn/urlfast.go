package hostfn

import "strings"

// serialized tells whether input is an http or https URL that the parser would give
// back as it is, but for a "/" that it may add to an empty path. It says no wherever
// there is doubt: it is a shortcut for the form in which most URLs are written.
func serialized(input string) (href string, ok bool) {
	rest, ok := strings.CutPrefix(input, "https://")
	port := "443"
	if !ok {
		if rest, ok = strings.CutPrefix(input, "http://"); !ok {
			return "", false
		}
		port = "80"
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host, given, hasPort := strings.Cut(rest[:end], ":")
	if !plainHost(host) || hasPort && (given == port || !plainPort(given)) {
		return "", false
	}
	tail := rest[end:]
	path, fragment, _ := strings.Cut(tail, "#")
	path, query, _ := strings.Cut(path, "?")
	if !all(path, pathByte) || !all(query, queryByte) || !all(fragment, fragmentByte) || strings.Contains(path, "/.") || strings.Contains(path, "%2") {
		return "", false
	}
	if path == "" {
		return input[:len(input)-len(tail)] + "/" + tail, true
	}
	return input, true
}

// plainHost takes names of lower-case labels, the last of which begins with a letter.
func plainHost(host string) bool {
	if len(host) > 253 || strings.Contains(host, "xn--") {
		return false
	}
	last := ""
	for last = range strings.SplitSeq(host, ".") {
		if last == "" || !all(last, hostByte) {
			return false
		}
	}
	return last[0] >= 'a'
}

func plainPort(port string) bool {
	if port == "" || port[0] == '0' || len(port) > 4 {
		return false
	}
	return strings.Trim(port, "0123456789") == ""
}

const (
	hostByte = 1 << iota
	pathByte
	queryByte
	fragmentByte
)

// kinds has where a byte may stand without being changed.
var kinds = func() (t [256]uint8) {
	set := func(bytes string, kind uint8) {
		for _, c := range []byte(bytes) {
			t[c] |= kind
		}
	}
	set("abcdefghijklmnopqrstuvwxyz0123456789-", hostByte)
	set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&()*+,;=:@/%", pathByte|queryByte|fragmentByte)
	set("?", queryByte|fragmentByte)
	return t
}()

func all(s string, kind uint8) bool {
	for _, c := range []byte(s) {
		if kinds[c]&kind == 0 {
			return false
		}
	}
	return true
}
