package pb

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"github.com/pocketbase/pocketbase/tools/router"
	"github.com/spf13/cast"
)

// maxBatch is the number of calls of a batch, batchTimeout how long it may take:
// SQLite has one writer.
const (
	maxBatch     = 1000
	batchTimeout = 5 * time.Second
)

type batchResult struct {
	Status int `json:"status"`
	Body   any `json:"body"`
}

// runBatch does the calls that r's body lists in one transaction, with a
// superuser's rights. Within an outer transaction it joins that one, which is
// rolled back if the batch fails (see spoil).
func runBatch(ctx context.Context, app core.App, r *http.Request) (any, error) {
	event := &core.RequestEvent{App: app}
	event.Request = r
	var form struct {
		Requests []*core.InternalRequest `form:"requests" json:"requests"`
	}
	if err := event.BindBody(&form); err != nil {
		return nil, router.NewBadRequestError("Failed to read the submitted batch data.", err)
	}
	if n := len(form.Requests); n == 0 || n > maxBatch {
		return nil, router.NewBadRequestError(fmt.Sprintf("A batch has 1 to %d requests, not %d.", maxBatch, n), nil)
	}
	limited, cancel := context.WithTimeoutCause(ctx, batchTimeout, fmt.Errorf("the batch took longer than %v", batchTimeout))
	defer cancel()
	if !app.IsTransactional() {
		// Within an outer transaction an interrupted write would roll that one back unseen.
		ctx = limited
	}
	results := make([]batchResult, 0, len(form.Requests))
	err := app.RunInTransaction(func(tx core.App) error {
		for k, ir := range form.Requests {
			if err := context.Cause(limited); err != nil {
				return router.NewBadRequestError("Batch transaction failed: "+err.Error(), nil)
			}
			files, err := batchFiles(event, k)
			if err != nil {
				return err
			}
			result, err := runBatched(ctx, tx, ir, files)
			if err != nil {
				return batchError(k, err)
			}
			results = append(results, result)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// batchFiles are the uploads of the k-th call, by field.
func batchFiles(event *core.RequestEvent, k int) (map[string][]*filesystem.File, error) {
	if event.Request.MultipartForm == nil {
		return nil, nil
	}
	files := map[string][]*filesystem.File{}
	prefix := "requests." + strconv.Itoa(k) + "."
	for key, headers := range event.Request.MultipartForm.File {
		name, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		for _, h := range headers {
			f, err := filesystem.NewFileFromMultipart(h)
			if err != nil {
				return nil, router.NewBadRequestError("Failed to read the submitted batch files data.", err)
			}
			files[name] = append(files[name], f)
		}
	}
	return files, nil
}

func runBatched(ctx context.Context, tx core.App, ir *core.InternalRequest, files map[string][]*filesystem.File) (batchResult, error) {
	location, err := url.Parse(ir.URL)
	if err != nil {
		return batchResult{}, router.NewBadRequestError("The URL of a batched request is invalid.", err)
	}
	parts := strings.Split(strings.TrimPrefix(location.EscapedPath(), "/api/collections/"), "/")
	if len(parts) < 2 || len(parts) > 3 || parts[1] != "records" {
		return batchResult{}, router.NewBadRequestError("Unknown batch request action.", nil)
	}
	collection, id := parts[0], ""
	if collection, err = url.PathUnescape(collection); err == nil && len(parts) == 3 {
		id, err = url.PathUnescape(parts[2])
	}
	if err != nil {
		return batchResult{}, router.NewBadRequestError("The URL of a batched request is invalid.", err)
	}
	method := ir.Method
	if method == http.MethodPut {
		method = http.MethodPost
		if want := cast.ToString(ir.Body["id"]); want != "" {
			if _, err := tx.FindRecordById(collection, want); err == nil {
				method, id = http.MethodPatch, want
			}
		}
	}
	c := recordsCall{Method: method, Collection: collection, ID: id, Query: location.RawQuery, Headers: ir.Headers, ContentType: "application/json"}
	body := []byte(nil)
	if ir.Body != nil {
		if body, err = json.Marshal(ir.Body); err != nil {
			return batchResult{}, err
		}
	}
	r, err := c.request(ctx, body)
	if err != nil {
		return batchResult{}, err
	}
	d := newDirect(ctx, tx, r, collection, id)
	d.files = files
	result, err := d.answer()
	if err != nil {
		return batchResult{}, err
	}
	if method == http.MethodDelete {
		return batchResult{Status: http.StatusNoContent}, nil
	}
	return batchResult{Status: http.StatusOK, Body: result}, nil
}

// batchError says which call failed, in the form of PocketBase's batch API.
func batchError(k int, err error) error {
	failed := router.NewBadRequestError("Batch transaction failed.", nil)
	failed.Data = map[string]any{"requests": map[string]any{strconv.Itoa(k): map[string]any{
		"code": "batch_request_failed", "message": "Batch request failed.", "response": router.ToApiError(err),
	}}}
	return failed
}
