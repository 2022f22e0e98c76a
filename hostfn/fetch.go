package hostfn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/agentrt/agentrt/quickjs"
)

// UserAgent is what requests carry that name none themselves.
const UserAgent = "agentrt"

const (
	maxRedirects = 20
	// slurp is how much of a redirect's body is read so that its connection can be
	// used again.
	slurp = 2 << 10
)

type fetchRequest struct {
	Method   string      `json:"method"`
	URL      string      `json:"url"`
	Headers  [][2]string `json:"headers"`
	Redirect string      `json:"redirect"`
	RID      int         `json:"rid"`
}

type fetchResponse struct {
	Status     int         `json:"status"`
	StatusText string      `json:"statusText"`
	URL        string      `json:"url"`
	Redirected bool        `json:"redirected"`
	Headers    [][2]string `json:"headers"`
	RID        int         `json:"rid"`
	// Whole says that the reply brings the body, instead of RID.
	Whole bool `json:"whole"`
}

// reply is what the operation gives.
type reply = quickjs.Message[fetchResponse]

// RegisterFetch adds the operation behind fetch
// (https://fetch.spec.whatwg.org/#http-network-or-cache-fetch, without caches,
// cookies and CORS, which only browsers have).
//
//	fetch async {method, url, headers, redirect, rid?}, bytes? -> {status, statusText, url, redirected, headers, rid, whole}, bytes
//
// The body of the request is the bytes, or the stream rid, which must be
// untouched. redirect is "follow" (the default, 20 at most), "manual" or "error".
// The rid of the response is 0 if it has no body, or if the reply brings it: whole
// is true for bodies with a Content-Length of at most 16 KiB that arrive with the
// head or within a millisecond.
//
// Headers that belong to the connection are left out of requests: Connection,
// Expect, Host, HTTP2-Settings, Keep-Alive, Proxy-Connection, TE, Trailer,
// Transfer-Encoding, Upgrade; Content-Length too unless the body is a stream, which
// then must be exactly that long. All others are sent, as in Node and Deno,
// Cookie, Origin, Referer and Sec-* among them.
//
// Bodies coded with gzip and deflate are decoded; Content-Encoding and
// Content-Length are then left out, so that a response can be passed on. The
// upstream request ends with the invocation, with the op before the head has
// arrived, and with body.cancel after it.
func RegisterFetch(ops *quickjs.Ops) {
	quickjs.Async(ops, "fetch", func(ctx context.Context, m quickjs.Message[fetchRequest]) (reply, error) {
		scope, err := ScopeFrom(ctx)
		if err != nil {
			return reply{}, err
		}
		f := fetcher{scope: scope, method: m.Head.Method, redirect: m.Head.Redirect, body: m.Body}
		if m.Head.RID != 0 {
			if f.stream, err = scope.Streams.Take(m.Head.RID); err != nil {
				return reply{}, bodyError(err)
			}
		}
		res, err := f.run(ctx, m.Head)
		if err != nil {
			if f.stream != nil {
				_ = f.stream.Close()
			}
			if ctx.Err() != nil {
				return res, context.Canceled
			}
			if _, ok := errors.AsType[*quickjs.HostError](err); !ok {
				err = fetchFailed(err, f.host())
			}
		}
		return res, err
	})
}

// fetcher is one call of fetch.
type fetcher struct {
	scope    *Scope
	method   string
	redirect string
	target   *url.URL
	header   http.Header
	length   int64 // of stream; -1 if it is not known
	body     []byte
	stream   io.ReadCloser
}

func (f *fetcher) host() string {
	if f.target == nil {
		return ""
	}
	return f.target.Host
}

func (f *fetcher) run(ctx context.Context, req fetchRequest) (res reply, err error) {
	if limit := f.scope.Limits.fetches(); f.scope.fetches.Add(1) > limit && limit >= 0 {
		return res, cause{fmt.Sprintf("the invocation has called fetch %d times, which is its limit", limit), "ERR_FETCH_LIMIT"}
	}
	if f.scope.Transport == nil {
		return res, cause{"there is no network for this invocation", "ERR_EGRESS_DENIED"}
	}
	if m := strings.ToUpper(f.method); m == "CONNECT" || m == "TRACE" || m == "TRACK" || m == "" {
		return res, cause{fmt.Sprintf("the method %q is not allowed", f.method), "ERR_INVALID_ARG_VALUE"}
	}
	if f.target, err = parseTarget(req.URL); err != nil {
		return res, err
	}
	if err := f.setHeader(req.Headers); err != nil {
		return res, err
	}
	// The body outlives the operation: only until the head has arrived does the
	// operation's end cancel the request.
	upstream, cancel := context.WithCancelCause(f.scope.Context)
	release := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	r, redirected, err := f.follow(upstream)
	if err == nil && !release() {
		_ = r.Body.Close()
		err = context.Cause(ctx)
	}
	if err == nil {
		res, err = f.respond(r, func() { cancel(errBodyEnded) })
		res.Head.Redirected = redirected
	}
	if err != nil {
		release()
		cancel(err)
	}
	return res, err
}

var errBodyEnded = errors.New("hostfn: the body has ended")

// connectionHeaders are set by the transport alone.
var connectionHeaders = map[string]bool{
	"Connection": true, "Content-Length": true, "Expect": true, "Host": true, "Http2-Settings": true, "Keep-Alive": true,
	"Proxy-Connection": true, "Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

func (f *fetcher) setHeader(list [][2]string) error {
	f.header, f.length = make(http.Header, len(list)+3), -1
	size := 0
	for _, h := range list {
		name, value := textproto.CanonicalMIMEHeaderKey(h[0]), toBytes(h[1])
		if size += len(name) + len(value); size > f.scope.Limits.headerBytes() {
			return cause{fmt.Sprintf("the headers of the request have more than %d bytes", f.scope.Limits.headerBytes()), "UND_ERR_HEADERS_OVERFLOW"}
		}
		if name == "Content-Length" && f.stream != nil {
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || n < 0 {
				return cause{fmt.Sprintf("Content-Length is %q, not a number of bytes", value), "UND_ERR_INVALID_ARG"}
			}
			f.length = n
		}
		if !connectionHeaders[name] {
			f.header[name] = append(f.header[name], value)
		}
	}
	for name, value := range map[string]string{"User-Agent": UserAgent, "Accept": "*/*", "Accept-Encoding": "gzip, deflate"} {
		if _, ok := f.header[name]; !ok {
			f.header.Set(name, value)
		}
	}
	return nil
}

// follow sends the request and those that redirects lead to
// (https://fetch.spec.whatwg.org/#http-redirect-fetch).
func (f *fetcher) follow(ctx context.Context) (res *http.Response, redirected bool, err error) {
	for hops := 0; ; hops++ {
		if res, err = f.send(ctx); err != nil {
			return nil, false, err
		}
		location := res.Header.Get("Location")
		if !isRedirect(res.StatusCode) || location == "" || f.redirect == "manual" {
			return res, hops > 0, nil
		}
		err = f.advance(res.StatusCode, location, hops)
		if err == nil && (res.ContentLength == -1 || res.ContentLength <= slurp) {
			_, _ = io.CopyN(io.Discard, res.Body, slurp)
		}
		_ = res.Body.Close()
		if err != nil {
			return nil, false, err
		}
	}
}

func isRedirect(status int) bool {
	switch status {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}

// advance makes f the request that a redirect asks for.
func (f *fetcher) advance(status int, location string, hops int) error {
	refuse := func(format string, args ...any) error {
		return cause{fmt.Sprintf("the redirect from %s to %q was not followed: ", f.target.Host, location) + fmt.Sprintf(format, args...), "ERR_REDIRECT"}
	}
	switch {
	case f.redirect == "error":
		return refuse(`the request has redirect: "error"`)
	case hops >= maxRedirects:
		return refuse("there were %d before it", maxRedirects)
	case status != http.StatusSeeOther && f.stream != nil:
		return refuse("the body is a stream and cannot be sent again; use a string or bytes")
	}
	base := *f.target
	next, err := parseURL([]string{location, base.String()})
	if err != nil {
		return refuse("it is no URL")
	}
	target, err := parseTarget(next.Href(true))
	if err != nil {
		return refuse("%v", err)
	}
	if (status == http.StatusMovedPermanently || status == http.StatusFound) && f.method == http.MethodPost ||
		status == http.StatusSeeOther && f.method != http.MethodGet && f.method != http.MethodHead {
		f.method = http.MethodGet
		f.dropBody()
	}
	if target.Scheme != f.target.Scheme || target.Host != f.target.Host {
		for _, name := range []string{"Authorization", "Cookie", "Proxy-Authorization"} {
			f.header.Del(name)
		}
	}
	f.target = target
	return nil
}

func (f *fetcher) dropBody() {
	f.body = nil
	if f.stream != nil {
		_ = f.stream.Close()
		f.stream = nil
	}
	for _, name := range []string{"Content-Encoding", "Content-Language", "Content-Location", "Content-Type"} {
		f.header.Del(name)
	}
}

func (f *fetcher) send(ctx context.Context) (*http.Response, error) {
	req := (&http.Request{Method: f.method, URL: f.target, Host: f.target.Host, Header: f.header.Clone(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}).WithContext(ctx)
	switch {
	case f.stream != nil:
		req.Body, req.ContentLength = f.stream, f.length
	case len(f.body) > 0:
		req.ContentLength = int64(len(f.body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.body)), nil }
		req.Body, _ = req.GetBody()
	default:
		req.Body = http.NoBody
	}
	return f.scope.Transport.RoundTrip(req)
}

// respond describes the response and opens its body; ended is called when the
// upstream request may be forgotten.
func (f *fetcher) respond(r *http.Response, ended func()) (res reply, err error) {
	res.Head = fetchResponse{Status: r.StatusCode, StatusText: statusText(r), URL: f.target.String()}
	body := &upstreamBody{ReadCloser: r.Body, ended: ended}
	if f.method == http.MethodHead || isNullBody(r.StatusCode) {
		if err := body.Close(); err != nil {
			return res, err
		}
		res.Head.Headers, err = f.list(r.Header)
		return res, err
	}
	small := r.ContentLength >= 0 && r.ContentLength <= smallResponse
	if list := codings(r.Header["Content-Encoding"]); len(list) > 0 {
		body.ReadCloser, small = newDecoder(r.Body, list, f.scope.Limits.decompressed()), false
		r.Header.Del("Content-Encoding")
		r.Header.Del("Content-Length")
	}
	if res.Head.Headers, err = f.list(r.Header); err != nil {
		_ = body.Close()
		return res, err
	}
	var open io.ReadCloser = body
	if small {
		early := readEarly(body, r.ContentLength)
		if res.Body, res.Head.Whole = early.whole(); res.Head.Whole {
			return res, early.Close()
		}
		open = early
	}
	if res.Head.RID, err = f.scope.Streams.AddReader(open); err != nil {
		_ = open.Close()
	}
	return res, err
}

// isNullBody tells the null body statuses of https://fetch.spec.whatwg.org/#statuses.
func isNullBody(status int) bool {
	switch status {
	case 101, 103, 204, 205, 304:
		return true
	}
	return false
}

func statusText(r *http.Response) string {
	_, text, _ := strings.Cut(r.Status, " ")
	if r.ProtoMajor > 1 {
		text = ""
	}
	return fromBytes(text)
}

// list gives headers in the order of their names, in lower case.
func (f *fetcher) list(h http.Header) ([][2]string, error) {
	out, size := make([][2]string, 0, len(h)), 0
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			if size += len(name) + len(value); size > f.scope.Limits.headerBytes() {
				return nil, cause{fmt.Sprintf("the headers of the response have more than %d bytes", f.scope.Limits.headerBytes()), "UND_ERR_HEADERS_OVERFLOW"}
			}
			out = append(out, [2]string{strings.ToLower(name), fromBytes(value)})
		}
	}
	return out, nil
}

// upstreamBody frees the request's context with the end of the body.
type upstreamBody struct {
	io.ReadCloser
	ended func()
}

func (b *upstreamBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.ended()
	}
	return n, err
}

func (b *upstreamBody) Close() error {
	// The end of the context ends a read in progress, so that closing does not wait.
	b.ended()
	return b.ReadCloser.Close()
}

// parseTarget reads a serialised http or https URL. Go's URL refuses or rewrites
// some paths that are valid in the URL standard; they are sent as they are.
func parseTarget(href string) (*url.URL, error) {
	href, _, _ = strings.Cut(href, "#")
	scheme, rest, ok := strings.Cut(href, "://")
	if !ok || scheme != "http" && scheme != "https" {
		return nil, cause{fmt.Sprintf("fetch supports http:, https: and data: URLs, not %q", clip(href, 100)), "ERR_INVALID_URL"}
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	u, err := url.Parse(scheme + "://" + rest[:end])
	if err != nil || u.Host == "" {
		return nil, cause{fmt.Sprintf("%q is no URL", clip(href, 100)), "ERR_INVALID_URL"}
	}
	u.User = nil
	path, query, hasQuery := strings.Cut(rest[end:], "?")
	for _, c := range []byte(rest[end:]) {
		if c <= ' ' || c >= 0x7f {
			return nil, cause{fmt.Sprintf("the URL has the character %q, which must be percent-encoded", c), "ERR_INVALID_URL"}
		}
	}
	u.RawQuery, u.ForceQuery = query, hasQuery && query == ""
	if path == "" {
		path = "/"
	}
	if decoded, err := url.PathUnescape(path); err == nil {
		u.Path, u.RawPath = decoded, path
	}
	if u.EscapedPath() != path {
		if strings.HasPrefix(path, "//") {
			return nil, cause{fmt.Sprintf("the path %q cannot be sent", clip(path, 100)), "ERR_INVALID_URL"}
		}
		u.Path, u.RawPath, u.Opaque = "", "", path
	}
	return u, nil
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "..."
}

// toBytes makes bytes of a ByteString, whose characters JSON carries as UTF-8.
// Others become "?", which user code cannot get past Headers.
func toBytes(s string) string {
	for k := range len(s) {
		if s[k] >= 0x80 {
			var b strings.Builder
			for _, c := range s {
				if c > 0xff {
					c = '?'
				}
				b.WriteByte(byte(c))
			}
			return b.String()
		}
	}
	return s
}

// fromBytes is the inverse of toBytes.
func fromBytes(s string) string {
	for k := range len(s) {
		if s[k] >= 0x80 {
			var b strings.Builder
			for _, c := range []byte(s) {
				b.WriteRune(rune(c))
			}
			return b.String()
		}
	}
	return s
}
