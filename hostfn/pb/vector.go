package pb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"strings"

	"github.com/agentrt/agentrt/vector/embed"
	"github.com/agentrt/agentrt/vector/vectorfield"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/picker"
	"github.com/pocketbase/pocketbase/tools/router"
	"github.com/pocketbase/pocketbase/tools/search"
)

// The searches, as the last part of their paths.
const (
	vectorSearch = "vector-search"
	hybridSearch = "hybrid-search"
)

// maxSearchBody is the largest body of a search in bytes.
const maxSearchBody = 1 << 20

// RouteVectors adds POST /api/collections/{collection}/vector-search and
// hybrid-search, under the collections' list rules.
func RouteVectors(r *router.RouterGroup[*core.RequestEvent]) {
	for _, kind := range []string{vectorSearch, hybridSearch} {
		r.POST("/api/collections/{collection}/"+kind, func(e *core.RequestEvent) error { return serveSearch(e, kind) }).Bind(apis.BodyLimit(maxSearchBody))
	}
}

// searchBody is the body of a search.
type searchBody struct {
	Vector   any      `json:"vector"`
	Text     string   `json:"text"`
	Field    string   `json:"field"`
	Filter   string   `json:"filter"`
	Top      *int     `json:"top"`
	MinScore *float64 `json:"minScore"`
	Recall   float64  `json:"recall"`
	Exact    bool     `json:"exact"`
	Weights  *struct {
		Text   *float64 `json:"text"`
		Vector *float64 `json:"vector"`
	} `json:"weights"`
	// Expand and Fields are those of the query, which wins.
	Expand string `json:"expand"`
	Fields string `json:"fields"`
}

func serveSearch(e *core.RequestEvent, kind string) error {
	c, err := e.App.FindCachedCollectionByNameOrId(e.Request.PathValue("collection"))
	if err != nil {
		return e.NotFoundError("Missing collection context.", err)
	}
	hits, err := findRecords(e, c, kind)
	if err != nil {
		if failed, ok := errors.AsType[*embed.Error](err); ok {
			return embedError(failed, failed.Kind)
		}
		return err
	}
	records := make([]*core.Record, len(hits))
	for i, h := range hits {
		records[i] = h.Record
	}
	event := &core.RecordsListRequestEvent{RequestEvent: e, Records: records,
		Result: &search.Result{Items: &records, Page: 1, PerPage: max(len(records), 1), TotalItems: -1, TotalPages: -1}}
	event.Collection = c
	return e.App.OnRecordsListRequest().Trigger(event, func(le *core.RecordsListRequestEvent) error {
		items, err := exportHits(le.RequestEvent, hits, le.Records)
		if err != nil {
			return err
		}
		text, err := json.Marshal(searchResult{items})
		if err != nil {
			return err
		}
		return e.Blob(http.StatusOK, "application/json", text)
	})
}

// searchResult is the answer to a search.
type searchResult struct {
	Items []map[string]any `json:"items"`
}

// search searches with a superuser's rights.
func (d *direct) search(kind string) (any, error) {
	if d.collection == nil {
		return nil, router.NewNotFoundError("Missing collection context.", nil)
	}
	d.event.Request = d.event.Request.WithContext(d.ctx)
	hits, err := findRecords(d.event, d.collection, kind)
	if err != nil {
		if failed, ok := errors.AsType[*embed.Error](err); ok {
			return nil, embedError(failed, failed)
		}
		return nil, err
	}
	records := make([]*core.Record, len(hits))
	for i, h := range hits {
		records[i] = h.Record
	}
	items, err := exportHits(d.event, hits, records)
	return searchResult{items}, err
}

// findRecords does the search that e's body describes.
func findRecords(e *core.RequestEvent, c *core.Collection, kind string) ([]vectorfield.Hit, error) {
	body, err := readSearch(e)
	if err != nil {
		return nil, searchError(err)
	}
	vectors := vectorfield.Of(e.App)
	if vectors == nil {
		return nil, router.NewInternalServerError("Vectors are not set up for this app.", nil)
	}
	info, err := e.RequestInfo()
	if err != nil {
		return nil, orBadRequest(err, "")
	}
	q, err := body.query(c)
	if err != nil {
		return nil, searchError(err)
	}
	ctx := e.Request.Context()
	var hits []vectorfield.Hit
	if kind == hybridSearch {
		h := vectorfield.Hybrid{Query: q}
		if body.Weights != nil {
			h.TextWeight, h.VectorWeight = body.Weights.Text, body.Weights.Vector
		}
		hits, err = vectors.SearchHybrid(ctx, e.App, c, info, h)
	} else {
		hits, err = vectors.Search(ctx, e.App, c, info, q)
	}
	if err != nil {
		return nil, searchError(err)
	}
	return hits, nil
}

// readSearch reads the body and moves its expand and fields to the query.
func readSearch(e *core.RequestEvent) (*searchBody, error) {
	body := new(searchBody)
	text, err := io.ReadAll(e.Request.Body)
	if err != nil {
		return nil, orBadRequest(err, "The body could not be read.")
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(body); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
			return nil, optionError(wrong.Field, "type", fmt.Sprintf("Expected %s, got %s.", wantedKind(wrong), wrong.Value))
		}
		if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return nil, optionError(strings.Trim(name, `"`), "option", "There is no such option.")
		}
		return nil, router.NewBadRequestError("The body of a search is a JSON object: "+err.Error(), nil)
	}
	query := e.Request.URL.Query()
	for name, value := range map[string]string{"expand": body.Expand, "fields": body.Fields} {
		if value != "" && query.Get(name) == "" {
			query.Set(name, value)
			e.Request.URL.RawQuery = query.Encode()
		}
	}
	return body, nil
}

func wantedKind(wrong *json.UnmarshalTypeError) string {
	switch wrong.Type.Kind().String() {
	case "string":
		return "a text"
	case "bool":
		return "true or false"
	case "int":
		return "an integer"
	case "float64":
		return "a number"
	}
	return "an object"
}

func optionError(option, code, message string) error {
	return validation.Errors{option: validation.NewError("validation_vector_"+code, message)}
}

func (b *searchBody) query(c *core.Collection) (vectorfield.Query, error) {
	q := vectorfield.Query{Text: b.Text, Field: b.Field, Filter: b.Filter, MinScore: b.MinScore, Recall: b.Recall, Exact: b.Exact}
	if b.Top != nil {
		if q.Top = *b.Top; q.Top == 0 {
			q.Top = -1 // the default is for no value only
		}
	}
	numbers, err := vectorfield.ParseQuery(c, b.Vector)
	q.Vector = numbers
	return q, err
}

// searchError is err as the Web API reports it: 400 with the options that are wrong.
func searchError(err error) error {
	options, ok := errors.AsType[validation.Errors](err)
	if !ok {
		if apiErr, ok := errors.AsType[*router.ApiError](err); ok {
			return apiErr
		}
		if _, ok := errors.AsType[*embed.Error](err); ok || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		return router.NewInternalServerError("The search failed.", err)
	}
	message := "The search is invalid."
	for option, problem := range options {
		message = fmt.Sprintf("Invalid %q: %s", option, problem)
	}
	return router.NewBadRequestError(message, options)
}

// embedError is a failure to make a vector of the text. told is as much of it as the
// caller may know: network clients get no details of the provider.
func embedError(err *embed.Error, told error) error {
	switch err.Kind {
	case embed.ErrInput, embed.ErrDimension, embed.ErrModel:
		return searchError(optionError("text", "text", err.Error()))
	}
	status := http.StatusServiceUnavailable
	if !err.Temporary() {
		status = http.StatusInternalServerError
	}
	return router.NewApiError(status, "The text cannot be embedded: "+told.Error()+".", err)
}

// exportHits returns the hits whose records are still listed, enriched, with the
// wanted fields, score and distance.
func exportHits(e *core.RequestEvent, hits []vectorfield.Hit, records []*core.Record) ([]map[string]any, error) {
	if err := apis.EnrichRecords(e, records); err != nil {
		return nil, orBadRequest(err, "Failed to enrich records.")
	}
	places := make(map[string]vectorfield.Hit, len(hits))
	for _, h := range hits {
		places[h.Record.Id] = h
	}
	items := make([]map[string]any, 0, len(records))
	for _, record := range records {
		h, ok := places[record.Id]
		if !ok {
			continue
		}
		item, err := exportRecord(record, e.Request.URL.Query().Get("fields"))
		if err != nil {
			return nil, err
		}
		item["score"] = h.Score
		item["distance"] = nil
		if !math.IsNaN(h.Distance) {
			item["distance"] = h.Distance
		}
		items = append(items, item)
	}
	return items, nil
}

func exportRecord(record *core.Record, fields string) (map[string]any, error) {
	if fields == "" {
		return maps.Clone(record.PublicExport()), nil
	}
	picked, err := picker.Pick(record, fields)
	if err != nil {
		return nil, router.NewBadRequestError("fields: "+err.Error(), nil)
	}
	item, _ := picked.(map[string]any)
	return item, nil
}
