package pb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/agentrt/agentrt/hostfn"
	"github.com/agentrt/agentrt/quickjs"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"github.com/pocketbase/pocketbase/tools/filesystem/blob"
)

// maxFile bounds what pb.files.read returns and pb.files.save takes, in bytes;
// streams have no limit.
const maxFile = 64 << 20

type fileRequest struct {
	Collection, Record, Filename, Field string
}

type fileInfo struct {
	Field    string `json:"field"`
	Filename string `json:"filename"`
	Size     int64  `json:"size"`
	Type     string `json:"type"`
}

// RegisterFiles adds the operations of pb.files, all async. Errors have a status as
// PocketBase's API has them.
//
//	pb.files.read   {collection, record, filename}                -> bytes
//	pb.files.stream {collection, record, filename}                -> rid
//	pb.files.save   {collection, record, filename, field?}, bytes -> the stored name
//	pb.files.delete {collection, record, filename}
//	pb.files.list   {collection, record}                          -> [{field, filename, size, type}]
func RegisterFiles(ops *quickjs.Ops) {
	quickjs.Async(ops, "pb.files.read", fileOp(readFile))
	quickjs.Async(ops, "pb.files.stream", fileOp(streamFile))
	quickjs.Async(ops, "pb.files.list", fileOp(listFiles))
	quickjs.Async(ops, "pb.files.delete", fileOp(deleteFile))
	quickjs.Async(ops, "pb.files.save", func(ctx context.Context, m quickjs.Message[fileRequest]) (string, error) {
		return fileOp(func(ctx context.Context, app core.App, scope *Scope, req fileRequest) (string, error) {
			return saveFile(ctx, app, scope, req, m.Body)
		})(ctx, m.Head)
	})
}

func fileOp[Res any](fn func(context.Context, core.App, *Scope, fileRequest) (Res, error)) func(context.Context, fileRequest) (Res, error) {
	return func(ctx context.Context, req fileRequest) (res Res, err error) {
		scope, err := ScopeFrom(ctx)
		if err != nil {
			return res, err
		}
		err = scope.Run(ctx, func(app core.App) (err error) {
			res, err = fn(ctx, app, scope, req)
			return err
		})
		return res, err
	}
}

func fileError(status int, code, format string, args ...any) error {
	return clientError(status, code, "pb.files: "+fmt.Sprintf(format, args...), map[string]any{})
}

// findRecord returns a record that the invocation may see (method GET) or change
// (PATCH): with AsCaller by the collection's rules.
func findRecord(app core.App, scope *Scope, req fileRequest, method string) (*core.Record, error) {
	collection, err := app.FindCachedCollectionByNameOrId(req.Collection)
	if err != nil {
		return nil, fileError(http.StatusNotFound, "ERR_COLLECTION_NOT_FOUND", "there is no collection %q", req.Collection)
	}
	missing := fileError(http.StatusNotFound, "ERR_RECORD_NOT_FOUND", "%s has no record %q", collection.Name, req.Record)
	record, err := app.FindRecordById(collection, req.Record)
	if err != nil {
		return nil, missing
	}
	if !scope.AsCaller {
		return record, nil
	}
	info := &core.RequestInfo{Context: core.RequestInfoContextDefault, Method: method, Auth: scope.Auth}
	rule := collection.ViewRule
	if method != http.MethodGet {
		rule = collection.UpdateRule
	}
	if ok, err := app.CanAccessRecord(record, info, rule); err != nil || !ok {
		return nil, missing
	}
	return record, nil
}

// findFile returns the record and the field that lists the file. A name that no
// field lists, such as a path, is not found.
func findFile(app core.App, scope *Scope, req fileRequest, method string) (*core.Record, *core.FileField, error) {
	record, err := findRecord(app, scope, req, method)
	if err != nil {
		return nil, nil, err
	}
	field := record.FindFileFieldByFile(req.Filename)
	if req.Filename == "" || strings.ContainsAny(req.Filename, `/\`) || field == nil || scope.AsCaller && field.Hidden && !isSuperuser(scope.Auth) {
		return nil, nil, notFound(record, req.Filename)
	}
	return record, field, nil
}

func isSuperuser(auth *core.Record) bool { return auth != nil && auth.IsSuperuser() }

func notFound(record *core.Record, filename string) error {
	return fileError(http.StatusNotFound, "ERR_FILE_NOT_FOUND", "the record %q of %s has no file %q", record.Id, record.Collection().Name, filename)
}

// openedFile closes its storage with itself.
type openedFile struct {
	*blob.Reader
	storage *filesystem.System
}

// Close ends the file and the storage.
func (f *openedFile) Close() error { return errors.Join(f.Reader.Close(), f.storage.Close()) }

// openFile opens a file; reading goes on under ctx.
func openFile(ctx context.Context, app core.App, scope *Scope, req fileRequest) (*openedFile, error) {
	record, _, err := findFile(app, scope, req, http.MethodGet)
	if err != nil {
		return nil, err
	}
	storage, err := app.NewFilesystem()
	if err != nil {
		return nil, fmt.Errorf("pb.files: %w", err)
	}
	storage.SetContext(ctx)
	reader, err := storage.GetReader(record.BaseFilesPath() + "/" + req.Filename)
	if err == nil {
		return &openedFile{reader, storage}, nil
	}
	if errors.Is(err, filesystem.ErrNotFound) {
		err = notFound(record, req.Filename)
	}
	return nil, errors.Join(err, storage.Close())
}

func readFile(ctx context.Context, app core.App, scope *Scope, req fileRequest) (data []byte, err error) {
	file, err := openFile(ctx, app, scope, req)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if file.Size() > maxFile {
		return nil, fileError(http.StatusBadRequest, "ERR_FILE_SIZE", "%q has %d bytes; read takes at most %d: use stream", req.Filename, file.Size(), maxFile)
	}
	data = make([]byte, file.Size())
	if _, err := io.ReadFull(file, data); err != nil {
		return nil, fmt.Errorf("pb.files: reading %q: %w", req.Filename, err)
	}
	return data, nil
}

func streamFile(ctx context.Context, app core.App, scope *Scope, req fileRequest) (rid int, err error) {
	bodies, err := hostfn.ScopeFrom(ctx)
	if err != nil {
		return 0, err
	}
	// The operation ends before the file is read.
	file, err := openFile(bodies.Context, app, scope, req)
	if err != nil {
		return 0, err
	}
	if rid, err = bodies.Streams.AddReader(file); err != nil {
		return 0, errors.Join(err, file.Close())
	}
	return rid, nil
}

func listFiles(ctx context.Context, app core.App, scope *Scope, req fileRequest) (files []fileInfo, err error) {
	record, err := findRecord(app, scope, req, http.MethodGet)
	if err != nil {
		return nil, err
	}
	storage, err := app.NewFilesystem()
	if err != nil {
		return nil, fmt.Errorf("pb.files: %w", err)
	}
	defer func() { err = errors.Join(err, storage.Close()) }()
	storage.SetContext(ctx)
	files = []fileInfo{}
	for _, f := range record.Collection().Fields {
		if f.Type() != core.FieldTypeFile || scope.AsCaller && f.GetHidden() && !isSuperuser(scope.Auth) {
			continue
		}
		for _, name := range record.GetStringSlice(f.GetName()) {
			attributes, err := storage.Attributes(record.BaseFilesPath() + "/" + name)
			if errors.Is(err, filesystem.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("pb.files: %q: %w", name, err)
			}
			files = append(files, fileInfo{f.GetName(), name, attributes.Size, attributes.ContentType})
		}
	}
	return files, nil
}

// fileField returns the named file field, or the only one.
func fileField(c *core.Collection, name string, hidden bool) (*core.FileField, error) {
	var names []string
	var only *core.FileField
	for _, f := range c.Fields {
		field, ok := f.(*core.FileField)
		if !ok || field.Hidden && !hidden {
			continue
		}
		if name == field.Name {
			return field, nil
		}
		names, only = append(names, field.Name), field
	}
	switch {
	case name != "":
		return nil, fileError(http.StatusBadRequest, "ERR_FIELD_NOT_FOUND", "%s has no file field %q (file fields: %s)", c.Name, name, strings.Join(names, ", "))
	case len(names) == 0:
		return nil, fileError(http.StatusBadRequest, "ERR_FIELD_NOT_FOUND", "%s has no file field", c.Name)
	case len(names) > 1:
		return nil, fileError(http.StatusBadRequest, "ERR_FIELD_NOT_FOUND", "%s has several file fields: name one of %s as field", c.Name, strings.Join(names, ", "))
	}
	return only, nil
}

func saveFile(ctx context.Context, app core.App, scope *Scope, req fileRequest, data []byte) (string, error) {
	if strings.ContainsAny(req.Filename, "/\\\x00") || strings.Trim(req.Filename, ".") == "" {
		return "", fileError(http.StatusBadRequest, "ERR_FILE_NAME", "%q is no name of a file", req.Filename)
	}
	if len(data) == 0 || len(data) > maxFile {
		return "", fileError(http.StatusBadRequest, "ERR_FILE_SIZE", "a file has 1 to %d bytes, not %d", maxFile, len(data))
	}
	record, err := findRecord(app, scope, req, http.MethodPatch)
	if err != nil {
		return "", err
	}
	field, err := fileField(record.Collection(), req.Field, !scope.AsCaller || isSuperuser(scope.Auth))
	if err != nil {
		return "", err
	}
	file, err := filesystem.NewFileFromBytes(append([]byte(nil), data...), req.Filename)
	if err != nil {
		return "", fmt.Errorf("pb.files: %w", err)
	}
	if field.IsMultiple() {
		record.Set(field.Name+"+", file)
	} else {
		record.Set(field.Name, file)
	}
	if err := app.SaveWithContext(ctx, record); err != nil {
		return "", saveError(err)
	}
	return file.Name, nil
}

func deleteFile(ctx context.Context, app core.App, scope *Scope, req fileRequest) (quickjs.None, error) {
	record, field, err := findFile(app, scope, req, http.MethodPatch)
	if err != nil {
		return quickjs.None{}, err
	}
	record.Set(field.Name+"-", req.Filename)
	if err := app.SaveWithContext(ctx, record); err != nil {
		return quickjs.None{}, saveError(err)
	}
	return quickjs.None{}, nil
}
