package embed

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxAnswer bounds the body of an answer in bytes: 2,048 vectors of 3,072 numbers
// in JSON have some 80 MB.
const maxAnswer = 256 << 20

var errTooLarge = errors.New("the answer is too large")

type redirectError struct{}

func (*redirectError) Error() string { return "redirected" }

// answer is the HTTP client of one request: it keeps status and headers, follows no
// redirect and bounds the body.
type answer struct {
	transport http.RoundTripper
	status    int
	header    http.Header
}

// Do implements openai.HTTPDoer.
func (a *answer) Do(req *http.Request) (*http.Response, error) {
	res, err := a.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	a.status, a.header = res.StatusCode, res.Header
	if res.StatusCode >= 300 && res.StatusCode < 400 {
		return nil, errors.Join(&redirectError{}, res.Body.Close())
	}
	res.Body = &boundedBody{res.Body, maxAnswer}
	return res, nil
}

// retryAfter is RFC 9110 section 10.2.3, and Retry-After-Ms of OpenAI before it.
func (a *answer) retryAfter() time.Duration {
	if ms, err := strconv.ParseFloat(a.header.Get("Retry-After-Ms"), 64); err == nil && ms >= 0 && ms < 1e9 {
		return time.Duration(ms * float64(time.Millisecond))
	}
	text := a.header.Get("Retry-After")
	if s, err := strconv.Atoi(text); err == nil && s >= 0 && s < 1e6 {
		return time.Duration(s) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
