package triggers

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/agentrt/agentrt/agentrt/deployment"
	"github.com/agentrt/agentrt/agentrt/loader"
	"github.com/agentrt/agentrt/quickjs"
	"github.com/agentrt/agentrt/stream"
	"github.com/pocketbase/pocketbase/core"
)

// exchange is one request on its way through a handler.
type exchange struct {
	trigger    *HTTP
	event      *core.RequestEvent
	id         string
	route      *deployment.Route
	deployment *deployment.Deployment
	streams    *stream.Table
	cancel     context.CancelCauseFunc

	responded chan *response
	answered  atomic.Bool
	extended  atomic.Bool
	tooLarge  atomic.Bool // the request body went over the limit
	leave     sync.Once
	gone      chan struct{} // closed when the client has left
	done      chan error    // the end of the invocation
	sent      chan struct{} // closed when the response was sent or given up
}

type exchangeKey struct{}

type response struct {
	Status     int         `json:"status"`
	StatusText string      `json:"statusText"`
	Headers    [][2]string `json:"headers"`
	RID        int         `json:"rid"`
	body       []byte
	stream     io.ReadCloser
}

type requestHead struct {
	File    string         `json:"file"`
	Method  string         `json:"method"`
	URL     string         `json:"url"`
	Headers [][2]string    `json:"headers"`
	Params  loader.Params  `json:"params"`
	RID     int            `json:"rid,omitempty"`
	ID      string         `json:"id"`
	IP      string         `json:"ip"`
	Auth    map[string]any `json:"auth"`
}

func (x *exchange) head(params loader.Params) (*requestHead, []byte, error) {
	r := x.event.Request
	head := &requestHead{File: x.route.File, Method: r.Method, URL: requestURL(x.event), Params: params, ID: x.id, IP: x.event.RealIP()}
	head.Headers = append(head.Headers, [2]string{"host", r.Host})
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, value := range r.Header[name] {
			head.Headers = append(head.Headers, [2]string{strings.ToLower(name), value})
		}
	}
	if x.event.Auth != nil {
		head.Auth = exportAuth(x.event.Auth)
	}
	if r.ContentLength == 0 || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return head, nil, nil
	}
	body, err := x.takeBody()
	if err != nil {
		return nil, nil, err
	}
	if r.ContentLength > 0 && r.ContentLength <= smallBody {
		bytes, err := io.ReadAll(body)
		return head, bytes, err
	}
	// HTTP/1: the handler may still read while the response is written. Other
	// protocols always allow it and say that it is not supported.
	_ = http.NewResponseController(x.event.Response).EnableFullDuplex()
	head.RID, err = x.streams.AddReader(stream.RequestBody(x.event.Response, body))
	return head, nil, err
}

// exportAuth is the record that calls, as its code sees it.
func exportAuth(record *core.Record) map[string]any {
	auth := record.Clone()
	auth.IgnoreEmailVisibility(true)
	return auth.PublicExport()
}

func requestURL(e *core.RequestEvent) string {
	scheme := "http"
	if e.IsTLS() {
		scheme = "https"
	}
	if len(e.App.Settings().TrustedProxy.Headers) > 0 {
		if p := e.Request.Header.Get("X-Forwarded-Proto"); p == "https" || p == "http" {
			scheme = p
		}
	}
	return scheme + "://" + e.Request.Host + e.Request.URL.RequestURI()
}

// RegisterHTTP adds the operations of the HTTP trigger.
func RegisterHTTP(ops *quickjs.Ops) {
	quickjs.Sync(ops, "http.respond", func(ctx context.Context, m quickjs.Message[response]) (quickjs.None, error) {
		x, err := exchangeOf(ctx)
		if err != nil {
			return quickjs.None{}, err
		}
		return quickjs.None{}, x.respond(&m.Head, m.Body)
	})
	quickjs.Sync(ops, "http.extend", func(ctx context.Context, _ quickjs.None) (quickjs.None, error) {
		x, err := exchangeOf(ctx)
		if err == nil {
			x.extended.Store(true)
		}
		return quickjs.None{}, err
	})
	quickjs.Async(ops, "http.disconnected", func(ctx context.Context, _ quickjs.None) (bool, error) {
		x, err := exchangeOf(ctx)
		if err != nil {
			return false, err
		}
		select {
		case <-x.gone:
			return true, nil
		case <-ctx.Done():
			return false, nil
		}
	})
}

func exchangeOf(ctx context.Context) (*exchange, error) {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x, nil
	}
	return nil, errors.New("there is no request here")
}

func (x *exchange) respond(r *response, body []byte) error {
	if x.answered.Swap(true) {
		return errors.New("the response was sent already")
	}
	if r.Status < 200 || r.Status > 599 {
		return &quickjs.HostError{Name: "RangeError", Message: "the status of a response must be between 200 and 599"}
	}
	if r.RID != 0 {
		s, err := x.streams.Take(r.RID)
		if err != nil {
			return err
		}
		r.stream = s
	} else {
		r.body = append([]byte(nil), body...)
	}
	x.responded <- r
	return nil
}

// part tells the code that the client has left and ends it after a short time,
// or after the time for background work if it registered some.
func (x *exchange) part() {
	x.leave.Do(func() { close(x.gone) })
	x.trigger.runner.Go(func() {
		if x.finished(partingGrace) {
			return
		}
		if !x.extended.Load() {
			x.cancel(errClientGone)
			return
		}
		if !x.finished(x.trigger.config.Background - partingGrace) {
			x.cancel(errBackground)
		}
	})
}

// background bounds what goes on after the response.
func (x *exchange) background() {
	select {
	case err := <-x.done:
		x.ended(err)
		return
	default:
	}
	x.trigger.runner.Go(func() {
		if !x.finished(x.trigger.config.Background) {
			x.cancel(errBackground)
			x.ended(<-x.done)
		}
	})
}

// finished waits up to d for the end of the invocation.
func (x *exchange) finished(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case err := <-x.done:
		x.ended(err)
		return true
	case <-timer.C:
		return false
	}
}

// ended logs an error after the response has started.
func (x *exchange) ended(err error) {
	if err != nil && !errors.Is(err, errClientGone) {
		x.log(err, 0)
	}
}
