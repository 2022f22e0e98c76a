package pb

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/forms"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"github.com/pocketbase/pocketbase/tools/list"
	"github.com/pocketbase/pocketbase/tools/picker"
	"github.com/pocketbase/pocketbase/tools/router"
	"github.com/pocketbase/pocketbase/tools/search"
)

// direct is one call with a superuser's rights.
type direct struct {
	ctx        context.Context
	app        core.App
	event      *core.RequestEvent
	query      url.Values
	collection *core.Collection
	id         string
	// files are uploads by field or modifier ("field+"); nil means those of the request.
	files map[string][]*filesystem.File
}

// callDirectly answers c on the data layer.
func callDirectly(ctx context.Context, app core.App, c *recordsCall, body []byte) (any, error) {
	r, err := c.request(ctx, body)
	if err != nil {
		return nil, err
	}
	defer func() {
		if r.MultipartForm != nil {
			_ = r.MultipartForm.RemoveAll()
		}
	}()
	if c.Method == methodBatch {
		return runBatch(ctx, app, r)
	}
	d := newDirect(ctx, app, r, c.Collection, c.ID)
	if c.Search != "" {
		return d.search(c.Search)
	}
	return d.answer()
}

func newDirect(ctx context.Context, app core.App, r *http.Request, collection, id string) *direct {
	d := &direct{ctx: ctx, app: app, query: r.URL.Query(), id: id}
	d.event = &core.RequestEvent{App: app}
	d.event.Request = r
	d.collection, _ = app.FindCachedCollectionByNameOrId(collection)
	if superusers, err := app.FindCachedCollectionByNameOrId(core.CollectionNameSuperusers); err == nil {
		d.event.Auth = core.NewRecord(superusers)
	}
	return d
}

func (d *direct) answer() (any, error) {
	if d.collection == nil {
		return nil, router.NewNotFoundError("Missing collection context.", nil)
	}
	method := d.event.Request.Method
	if method != http.MethodGet && d.collection.IsView() {
		return nil, router.NewBadRequestError("Unsupported collection type.", nil)
	}
	switch {
	case method == http.MethodGet && d.id == "":
		return d.list()
	case method == http.MethodGet:
		return d.view()
	case method == http.MethodPost:
		return d.create()
	case method == http.MethodPatch:
		return d.update()
	case method == http.MethodDelete:
		return d.delete()
	}
	return nil, router.NewBadRequestError("Unknown method.", nil)
}

func (d *direct) find() (*core.Record, error) {
	record, err := d.app.FindRecordById(d.collection, d.id, func(q *dbx.SelectQuery) error {
		q.WithContext(d.ctx)
		return nil
	})
	if err != nil {
		return nil, router.NewNotFoundError("", err)
	}
	return record, nil
}

func (d *direct) view() (any, error) {
	record, err := d.find()
	if err != nil {
		return nil, err
	}
	return d.finish(record)
}

// page is search.Result with records as JSON takes them.
type page struct {
	Items      []map[string]any `json:"items"`
	Page       int              `json:"page"`
	PerPage    int              `json:"perPage"`
	TotalItems int              `json:"totalItems"`
	TotalPages int              `json:"totalPages"`
}

func (d *direct) list() (any, error) {
	info, err := d.event.RequestInfo()
	if err != nil {
		return nil, router.NewBadRequestError("", err)
	}
	resolver := core.NewRecordFieldResolver(d.app, d.collection, info, true)
	provider := search.NewProvider(resolver).Query(d.app.RecordQuery(d.collection).WithContext(d.ctx))
	if !d.collection.IsView() {
		provider.CountCol("_rowid_")
	}
	records := []*core.Record{}
	result, err := provider.ParseAndExec(d.event.Request.URL.RawQuery, &records)
	if err != nil {
		return nil, orBadRequest(err, "The list cannot be read: "+err.Error())
	}
	if err := apis.EnrichRecords(d.event, records); err != nil {
		return nil, err
	}
	if fields := d.query.Get("fields"); fields != "" {
		return picker.Pick(result, fields)
	}
	p := page{Items: make([]map[string]any, len(records)), Page: result.Page, PerPage: result.PerPage, TotalItems: result.TotalItems, TotalPages: result.TotalPages}
	for k, record := range records {
		p.Items[k] = record.PublicExport()
	}
	return p, nil
}

func (d *direct) create() (any, error) {
	return d.submit(core.NewRecord(d.collection), "Failed to create record.")
}

func (d *direct) update() (any, error) {
	record, err := d.find()
	if err != nil {
		return nil, err
	}
	return d.submit(record, "Failed to update record.")
}

func (d *direct) submit(record *core.Record, failed string) (any, error) {
	data, err := d.data(record)
	if err != nil {
		return nil, orBadRequest(err, "Failed to read the submitted data.")
	}
	form := forms.NewRecordUpsert(d.app, record)
	form.SetContext(d.ctx)
	form.GrantSuperuserAccess()
	form.Load(data)
	if err := form.Submit(); err != nil {
		return nil, orBadRequest(err, failed)
	}
	return d.finish(record)
}

func (d *direct) delete() (any, error) {
	record, err := d.find()
	if err != nil {
		return nil, err
	}
	if err := d.app.DeleteWithContext(d.ctx, record); err != nil {
		return nil, orBadRequest(err, "Failed to delete record. Make sure that the record is not part of a required relation reference.")
	}
	return true, nil
}

// finish expands record and picks the wanted fields.
func (d *direct) finish(record *core.Record) (any, error) {
	if err := apis.EnrichRecord(d.event, record); err != nil {
		return nil, err
	}
	if fields := d.query.Get("fields"); fields != "" {
		return picker.Pick(record, fields)
	}
	return record.PublicExport(), nil
}

// data is the body's fields with modifiers ("field+", "+field", "field-") resolved
// on record. Files in a multipart body join the names that the body has for the
// same field.
func (d *direct) data(record *core.Record) (map[string]any, error) {
	info, err := d.event.RequestInfo()
	if err != nil {
		return nil, err
	}
	data := record.ReplaceModifiers(info.Body)
	files := d.files
	if files == nil {
		if files, err = d.uploads(); err != nil {
			return nil, err
		}
	}
	if len(files) == 0 {
		return data, nil
	}
	for key, list := range files {
		values := keptNames(info.Body, key)
		for _, file := range list {
			values = append(values, file)
		}
		data[key] = values
	}
	return record.ReplaceModifiers(data), nil
}

// keptNames are the file names that body has for a field, unless key has a modifier.
func keptNames(body map[string]any, key string) (names []any) {
	if body[key] == nil || strings.HasPrefix(key, "+") || strings.HasSuffix(key, "+") || strings.HasSuffix(key, "-") {
		return nil
	}
	for _, name := range list.ToUniqueStringSlice(body[key]) {
		names = append(names, name)
	}
	return names
}

// uploads are the files of a multipart body.
func (d *direct) uploads() (map[string][]*filesystem.File, error) {
	if !strings.HasPrefix(d.event.Request.Header.Get("Content-Type"), "multipart/form-data") {
		return nil, nil
	}
	files := map[string][]*filesystem.File{}
	for _, field := range d.collection.Fields {
		if field.Type() != core.FieldTypeFile {
			continue
		}
		name := field.GetName()
		for _, key := range []string{name, "+" + name, name + "+"} {
			found, err := d.event.FindUploadedFiles(key)
			if err != nil && !errors.Is(err, http.ErrMissingFile) {
				return nil, err
			}
			if len(found) > 0 {
				files[key] = found
			}
		}
	}
	return files, nil
}

// orBadRequest keeps an API error (a hook's, for example) and makes any other one
// a 400 with the fields that did not validate.
func orBadRequest(err error, message string) error {
	if apiErr, ok := errors.AsType[*router.ApiError](err); ok {
		return apiErr
	}
	return router.NewBadRequestError(message, err)
}
