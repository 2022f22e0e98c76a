package security_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/agentrt/agentrt/agentrt/security"
)

// resolver is a DNS server on loopback whose answers to A queries come from
// answer; it has no AAAA records.
func resolver(t *testing.T, answer func(name string) []string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	t.Cleanup(func() { conn.Close(); done.Wait() })
	done.Go(func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			conn.WriteTo(reply(buf[:n], answer), from)
		}
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// reply answers a DNS query (RFC 1035, section 4.1).
func reply(query []byte, answer func(string) []string) []byte {
	at, labels := 12, []string{}
	for query[at] != 0 {
		n := int(query[at])
		labels = append(labels, string(query[at+1:at+1+n]))
		at += 1 + n
	}
	question := query[12 : at+5]
	var addrs []string
	if binary.BigEndian.Uint16(query[at+1:]) == 1 {
		addrs = answer(strings.ToLower(strings.Join(labels, ".")))
	}
	out := append([]byte{}, query[:2]...)
	out = append(out, 0x81, 0x80, 0, 1, 0, byte(len(addrs)), 0, 0, 0, 0)
	out = append(out, question...)
	for _, a := range addrs {
		ip := netip.MustParseAddr(a).As4()
		out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
		out = append(out, ip[:]...)
	}
	return out
}

func get(t *testing.T, rt http.RoundTripper, target string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", target, nil)
	if err != nil {
		return "", err
	}
	res, err := rt.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

func newServer(t *testing.T, h http.HandlerFunc) (s *httptest.Server, port string) {
	t.Helper()
	s = httptest.NewServer(h)
	t.Cleanup(s.Close)
	u, _ := url.Parse(s.URL)
	return s, u.Port()
}

func newTransport(t *testing.T, p security.EgressPolicy, c security.TransportConfig) *security.Transport {
	t.Helper()
	rt := p.Transport(c)
	t.Cleanup(rt.CloseIdleConnections)
	return rt
}

func TestSSRF(t *testing.T) {
	var reached atomic.Int32
	_, port := newServer(t, func(w http.ResponseWriter, r *http.Request) { reached.Add(1) })
	names := resolver(t, func(name string) []string {
		switch name {
		case "private.test", "0x7f000001", "0x7f.1":
			return []string{"127.0.0.1"}
		case "metadata.test":
			return []string{"169.254.169.254"}
		case "mixed.test":
			return []string{"10.0.0.1", "127.0.0.1"}
		}
		return nil
	})
	rt := newTransport(t, security.NewEgressPolicy(), security.TransportConfig{Resolver: names})
	for _, host := range []string{
		"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:1]", "[::127.0.0.1]", "[::1%25lo]", "[fe80::1%25eth0]",
		"0.0.0.0", "0", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "10.0.0.1", "169.254.169.254", "[fd00:ec2::254]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
		"private.test", "PRIVATE.test", "private.test.", "metadata.test", "mixed.test",
	} {
		_, err := get(t, rt, "http://"+host+":"+port+"/")
		if nx, ok := errors.AsType[*net.DNSError](err); ok && nx.IsNotFound && !strings.ContainsAny(host, "abcdeghijklmnopqrstuvwyz") {
			continue // Go resolves no address in the odd notations of inet_aton
		}
		var denied *security.DeniedError
		if !errors.As(err, &denied) {
			t.Errorf("%s: %v", host, err)
		} else if denied.Code() != "ERR_EGRESS_DENIED" || !strings.Contains(err.Error(), "--allow-net") {
			t.Errorf("%s: %v", host, err)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("the server was reached %d times", n)
	}
	for _, scheme := range []string{"file", "ftp", "gopher", "unix"} {
		if _, err := get(t, rt, scheme+"://127.0.0.1/"); err == nil || !strings.Contains(err.Error(), "use http or https") {
			t.Errorf("%s: %v", scheme, err)
		}
	}
}

func TestRebindingDoesNotHelp(t *testing.T) {
	var reached, asked atomic.Int32
	_, port := newServer(t, func(w http.ResponseWriter, r *http.Request) { reached.Add(1) })
	// 203.0.113.1 stands for an address that is fine: the policy allows it.
	names := resolver(t, func(string) []string {
		if asked.Add(1) == 1 {
			return []string{"203.0.113.1"}
		}
		return []string{"127.0.0.1"}
	})
	p := security.NewEgressPolicy().Allow(rules(t, "203.0.113.1")...)
	rt := newTransport(t, p, security.TransportConfig{Resolver: names})
	addrs, err := names.LookupHost(t.Context(), "rebind.test")
	if err != nil || len(addrs) != 1 || addrs[0] != "203.0.113.1" {
		t.Fatal(addrs, err)
	}
	var denied *security.DeniedError
	if _, err := get(t, rt, "http://rebind.test:"+port+"/"); !errors.As(err, &denied) || denied.Addr.String() != "127.0.0.1" {
		t.Errorf("second answer: %v", err)
	}
	if reached.Load() != 0 {
		t.Error("the server was reached")
	}
}

func TestAllowedDestinations(t *testing.T) {
	_, port := newServer(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello from "+r.Host) })
	names := resolver(t, func(string) []string { return []string{"127.0.0.1"} })
	config := security.TransportConfig{Resolver: names}
	p := security.NewEgressPolicy().Allow(rules(t, "127.0.0.1:"+port)...)
	rt := newTransport(t, p, config)
	for _, host := range []string{"127.0.0.1", "api.test", "localhost", "[::ffff:127.0.0.1]"} {
		if got, err := get(t, rt, "http://"+host+":"+port+"/"); err != nil || !strings.HasPrefix(got, "hello") {
			t.Errorf("%s: %q, %v", host, got, err)
		}
	}
	list, err := security.ParseAllowlist([]string{"api.test", "127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	narrow := rt.Restrict(list)
	if _, err := get(t, narrow, "http://api.test:"+port+"/"); err != nil {
		t.Errorf("restricted to api.test: %v", err)
	}
	var denied *security.DeniedError
	if _, err := get(t, narrow, "http://other.test:"+port+"/"); !errors.As(err, &denied) {
		t.Errorf("other.test on a pooled connection: %v", err)
	}
	if _, err := get(t, rt, "http://127.0.0.1:1/"); !errors.As(err, &denied) {
		t.Errorf("other port: %v", err)
	}
}

func TestTransportUsesHTTP2AndNoProxy(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	rt := newTransport(t, security.NewEgressPolicy().Allow(rules(t, "127.0.0.1")...), security.TransportConfig{TLS: &tls.Config{RootCAs: roots}})
	if got, err := get(t, rt, s.URL); got != "HTTP/2.0" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestTransportLimits(t *testing.T) {
	s, _ := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-r.Context().Done()
			return
		}
		w.Header().Set("X-Large", strings.Repeat("x", 300<<10))
	})
	p := security.NewEgressPolicy().Allow(rules(t, "127.0.0.1")...)
	rt := newTransport(t, p, security.TransportConfig{HeaderTimeout: 50 * time.Millisecond})
	if _, err := get(t, rt, s.URL+"/large"); err == nil || !strings.Contains(err.Error(), "header") {
		t.Errorf("large head: %v", err)
	}
	if _, err := get(t, rt, s.URL+"/slow"); err == nil || !strings.Contains(err.Error(), "timeout awaiting response headers") {
		t.Errorf("slow head: %v", err)
	}
	body := &closed{}
	req, _ := http.NewRequestWithContext(t.Context(), "POST", "http://10.0.0.1/", body)
	if _, err := rt.RoundTrip(req); err == nil || !body.done {
		t.Errorf("denied request: %v, body closed %v", err, body.done)
	}
}

type closed struct{ done bool }

func (c *closed) Read([]byte) (int, error) { return 0, io.EOF }
func (c *closed) Close() error             { c.done = true; return nil }
