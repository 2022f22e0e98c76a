package hostfn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/agentrt/agentrt/quickjs"
	"github.com/agentrt/agentrt/stream"
)

// cause becomes the cause of fetch's TypeError: an Error with the code that Node
// gives the same failure, as far as it has one.
type cause struct {
	Message string `json:"message"`
	Code    string `json:"code"`
}

func (c cause) Error() string { return c.Message }

// failed is the detail of a HostError that fetch.ts and body.ts turn into a cause.
type failed struct {
	Cause cause `json:"cause"`
}

func fetchFailed(err error, host string) error {
	return &quickjs.HostError{Name: "TypeError", Message: "fetch failed", Detail: failed{causeOf(err, host)}}
}

// coder is an error that knows its code, such as a denial of the egress policy.
type coder interface {
	error
	Code() string
}

var errnos = []struct {
	errno syscall.Errno
	code  string
}{
	{syscall.ECONNREFUSED, "ECONNREFUSED"},
	{syscall.ECONNRESET, "ECONNRESET"},
	{syscall.EPIPE, "EPIPE"},
	{syscall.EHOSTUNREACH, "EHOSTUNREACH"},
	{syscall.ENETUNREACH, "ENETUNREACH"},
	{syscall.EADDRNOTAVAIL, "EADDRNOTAVAIL"},
	{syscall.EMFILE, "EMFILE"},
}

func causeOf(err error, host string) cause {
	if c, ok := errors.AsType[cause](err); ok {
		return c
	}
	if c, ok := errors.AsType[coder](err); ok {
		return cause{c.Error(), c.Code()}
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		code := "EAI_AGAIN"
		if dns.IsNotFound {
			code = "ENOTFOUND"
		}
		return cause{fmt.Sprintf("getaddrinfo %s %s: %s", code, dns.Name, dns.Err), code}
	}
	if c, ok := certificateCause(err, host); ok {
		return c
	}
	op, dialing := errors.AsType[*net.OpError](err)
	dialing = dialing && op.Op == "dial"
	at := host
	if op != nil && op.Addr != nil {
		at = op.Addr.String()
	}
	for _, e := range errnos {
		if errors.Is(err, e.errno) {
			verb := "read"
			if dialing {
				verb = "connect"
			}
			return cause{strings.TrimSpace(fmt.Sprintf("%s %s %s", verb, e.code, at)), e.code}
		}
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		if dialing {
			return cause{"connecting to " + at + " took too long", "UND_ERR_CONNECT_TIMEOUT"}
		}
		return cause{strings.TrimSpace(host + " took too long: " + err.Error()), "UND_ERR_HEADERS_TIMEOUT"}
	}
	text := err.Error()
	switch {
	case errors.Is(err, context.Canceled):
		return cause{"the request was cancelled, or the invocation that made it has ended", "UND_ERR_ABORTED"}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return cause{"other side closed the connection before the end of the response", "UND_ERR_SOCKET"}
	case errors.Is(err, stream.ErrClosed):
		return cause{text, "UND_ERR_ABORTED"}
	}
	if at := strings.Index(text, "server response headers exceeded"); at >= 0 {
		return cause{text[at:], "UND_ERR_HEADERS_OVERFLOW"}
	}
	return cause{strings.TrimPrefix(text, "net/http: "), "UND_ERR_SOCKET"}
}

func certificateCause(err error, host string) (cause, bool) {
	invalid, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok {
		return cause{}, false
	}
	code := "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		code = "ERR_TLS_CERT_ALTNAME_INVALID"
	} else if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		code = "CERT_HAS_EXPIRED"
	}
	return cause{fmt.Sprintf("the certificate of %s is not valid: %v", host, invalid.Err), code}, true
}
