package pb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/agentrt/agentrt/quickjs"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// recordsCall is one operation on records, in the terms of PocketBase's Web API.
type recordsCall struct {
	// As is whose API rules hold: absent for the invocation's own rights, null for
	// a guest, else {"collection", "id"} of an auth record.
	As json.RawMessage `json:"as"`
	// Method is GET, POST, PATCH or DELETE, or BATCH for a batch.
	Method     string `json:"method"`
	Collection string `json:"collection"`
	// Search is vector-search or hybrid-search for a POST that searches.
	Search string `json:"search"`
	// ID is the record's; empty for a list and for creating.
	ID string `json:"id"`
	// Query is the URL's query, Headers what @request.headers.* shows.
	Query   string            `json:"query"`
	Headers map[string]string `json:"headers"`
	// ContentType of the body: application/json or multipart/form-data.
	ContentType string `json:"contentType"`
}

// methodBatch marks a batch of calls in one transaction.
const methodBatch = "BATCH"

// RegisterCollection adds the operation on records.
//
//	pb.records  async  recordsCall, body  what the Web API answers: a record, a page, or the results of a batch
//
// Without API rules (the default rights) it uses PocketBase's data layer directly
// and fires its record and model hooks, but no OnRecord…Request hooks; under API
// rules it runs PocketBase's own handlers, those hooks included. Failures are a
// ClientResponseError with the Web API's status and its body as detail.
func RegisterCollection(ops *quickjs.Ops) {
	quickjs.Async(ops, "pb.records", func(ctx context.Context, m quickjs.Message[recordsCall]) (any, error) {
		scope, err := ScopeFrom(ctx)
		if err != nil {
			return nil, err
		}
		var result any
		err = scope.Run(ctx, func(app core.App) (err error) {
			as, ruled, err := scope.identity(app, m.Head.As)
			if err != nil {
				return err
			}
			if ruled {
				result, err = callAs(ctx, app, as, &m.Head, m.Body)
			} else {
				result, err = callDirectly(ctx, app, &m.Head, m.Body)
			}
			return err
		})
		if err != nil {
			if m.Head.Method == methodBatch {
				scope.spoil()
			}
			return nil, recordsError(ctx, err, &m.Head)
		}
		return result, nil
	})
}

// path is the path of the Web API.
func (c *recordsCall) path() string {
	if c.Method == methodBatch {
		return "/api/batch"
	}
	if c.Search != "" {
		return "/api/collections/" + url.PathEscape(c.Collection) + "/" + c.Search
	}
	path := "/api/collections/" + url.PathEscape(c.Collection) + "/records"
	if c.ID != "" {
		path += "/" + url.PathEscape(c.ID)
	}
	return path
}

// request is the HTTP request that the call corresponds to.
func (c *recordsCall) request(ctx context.Context, body []byte) (*http.Request, error) {
	method := c.Method
	if method == methodBatch {
		method = http.MethodPost
	}
	location, err := url.Parse(c.path())
	if err != nil {
		return nil, router.NewBadRequestError("The name of the collection or the id is invalid.", err)
	}
	location.RawQuery = c.Query
	r := (&http.Request{Method: method, URL: location, Header: make(http.Header, len(c.Headers)+1), Body: http.NoBody,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RequestURI: location.RequestURI()}).WithContext(ctx)
	for name, value := range c.Headers {
		// Rights come from the call alone.
		if !strings.EqualFold(name, "Authorization") {
			r.Header.Set(name, value)
		}
	}
	if len(body) > 0 {
		// The operation's bytes are valid only until it returns, and parsed files outlive nothing.
		r.Body = &router.RereadableReadCloser{ReadCloser: io.NopCloser(bytes.NewReader(body))}
		r.ContentLength = int64(len(body))
		r.Header.Set("Content-Type", c.ContentType)
	}
	return r, nil
}

// apiFailure is the answer of a handler that failed.
type apiFailure struct {
	status   int
	response json.RawMessage
}

func (e *apiFailure) Error() string { return fmt.Sprintf("status %d: %s", e.status, e.response) }

type responseDetail struct {
	URL      string `json:"url"`
	Response any    `json:"response"`
}

// recordsError is err as JavaScript sees it.
func recordsError(ctx context.Context, err error, c *recordsCall) error {
	if own, ok := errors.AsType[*quickjs.HostError](err); ok {
		return own
	}
	if ctx.Err() != nil {
		return err
	}
	if failed, ok := errors.AsType[*apiFailure](err); ok {
		return &quickjs.HostError{Name: "ClientResponseError", Message: "request failed", Status: failed.status, Detail: responseDetail{c.path(), failed.response}}
	}
	apiErr := router.ToApiError(err)
	return &quickjs.HostError{Name: "ClientResponseError", Message: apiErr.Message, Status: apiErr.Status, Detail: responseDetail{c.path(), apiErr}}
}
