package security

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"syscall"
	"time"
)

// TransportConfig configures Transport. Zero fields have the defaults.
type TransportConfig struct {
	// HeaderTimeout is how long a server may take from the end of the request to
	// the head of its response; 5 minutes by default, since a language model
	// may compute that long, negative for none.
	HeaderTimeout time.Duration
	// MaxHeaderBytes bounds the head of a response; 256 KiB by default.
	MaxHeaderBytes int64
	// IdlePerHost is how many idle connections are kept for one host; 64 by
	// default.
	IdlePerHost int
	// Resolver resolves names; net.DefaultResolver by default.
	Resolver *net.Resolver
	// TLS is the client's TLS configuration; the system's roots by default.
	TLS *tls.Config
}

const (
	dialTimeout = 10 * time.Second
	tlsTimeout  = 10 * time.Second
	idleTimeout = 90 * time.Second
	maxIdle     = 1024
)

// Transport is an http.RoundTripper that enforces an EgressPolicy on every
// request and on every connection. It uses no proxy, follows no redirect, decodes
// nothing and pools connections; share one among all invocations. HTTP/2 is used
// where the server has it.
type Transport struct {
	policy EgressPolicy
	base   *http.Transport
}

// Transport returns a transport under the policy.
func (p EgressPolicy) Transport(config TransportConfig) *Transport {
	if config.HeaderTimeout == 0 {
		config.HeaderTimeout = 5 * time.Minute
	}
	if config.MaxHeaderBytes <= 0 {
		config.MaxHeaderBytes = 256 << 10
	}
	if config.IdlePerHost <= 0 {
		config.IdlePerHost = 64
	}
	d := dialer{policy: p, resolver: config.Resolver}
	return &Transport{policy: p, base: &http.Transport{
		Proxy:                  nil,
		DialContext:            d.dial,
		TLSClientConfig:        config.TLS.Clone(),
		TLSHandshakeTimeout:    tlsTimeout,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
		DisableCompression:     true,
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    config.IdlePerHost,
		IdleConnTimeout:        idleTimeout,
		ResponseHeaderTimeout:  max(config.HeaderTimeout, 0),
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: config.MaxHeaderBytes,
	}}
}

// RoundTrip judges the destination and sends the request. A denial is a
// *DeniedError, possibly wrapped.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := judge(req, t.policy.CheckHost); err != nil {
		return nil, err
	}
	return t.base.RoundTrip(req)
}

// Restrict returns a round tripper on the same connections that also keeps to
// list, with each request and thus on each redirect. What a name resolves to is
// judged by the policy of t.
func (t *Transport) Restrict(list Allowlist) http.RoundTripper { return restricted{t, list} }

// CloseIdleConnections closes the connections that no request uses.
func (t *Transport) CloseIdleConnections() { t.base.CloseIdleConnections() }

type restricted struct {
	transport *Transport
	list      Allowlist
}

func (r restricted) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := judge(req, r.list.Check); err != nil {
		return nil, err
	}
	return r.transport.RoundTrip(req)
}

// judge closes the body on an error, as a RoundTripper must.
func judge(req *http.Request, check func(string, uint16) error) error {
	host, port, err := destination(req)
	if err == nil {
		err = check(host, port)
	}
	if err != nil && req.Body != nil {
		_ = req.Body.Close()
	}
	return err
}

func destination(req *http.Request) (string, uint16, error) {
	port := req.URL.Port()
	switch {
	case req.URL.Scheme != "http" && req.URL.Scheme != "https":
		return "", 0, fmt.Errorf("security: the scheme %q is not supported, use http or https", req.URL.Scheme)
	case port != "":
	case req.URL.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("security: %q is no port", port)
	}
	return req.URL.Hostname(), uint16(n), nil
}

type dialer struct {
	policy   EgressPolicy
	resolver *net.Resolver
}

func (d dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	nd := net.Dialer{
		Timeout:  dialTimeout,
		Resolver: d.resolver,
		ControlContext: func(_ context.Context, _, resolved string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(resolved)
			if err != nil {
				return fmt.Errorf("security: %q is no address: %w", resolved, err)
			}
			return d.policy.CheckAddr(host, to)
		},
	}
	return nd.DialContext(ctx, network, address)
}
