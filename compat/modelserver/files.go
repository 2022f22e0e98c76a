package modelserver

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// file is an upload; only the first bytes of its content are kept.
type file struct {
	ID        string `json:"id"`
	Object    string `json:"object"`
	Bytes     int64  `json:"bytes"`
	CreatedAt int64  `json:"created_at"`
	Filename  string `json:"filename"`
	Purpose   string `json:"purpose"`
	Status    string `json:"status"`

	content []byte
}

// MaxFileContent is the number of bytes of each file that are kept.
const MaxFileContent = 64 << 10

// maxPurpose is the number of bytes of a form's field that are read.
const maxPurpose = 256

// createFile serves https://platform.openai.com/docs/api-reference/files/create.
func createFile(x *exchange) error {
	if _, err := x.configure(""); err != nil {
		return err
	}
	x.r.Body = http.MaxBytesReader(x.w, x.r.Body, MaxBody)
	form, err := x.r.MultipartReader()
	if err != nil {
		return badRequest("file", "The body must be multipart/form-data with the fields file and purpose: %v", err)
	}
	f := file{Object: "file", CreatedAt: time.Now().Unix(), Status: "processed", Bytes: -1}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return bodyError(err)
		}
		switch part.FormName() {
		case "file":
			f.Filename = part.FileName()
			if f.content, err = io.ReadAll(io.LimitReader(part, MaxFileContent)); err != nil {
				return bodyError(err)
			}
			rest, err := io.Copy(io.Discard, part)
			if err != nil {
				return bodyError(err)
			}
			f.Bytes = int64(len(f.content)) + rest
		case "purpose":
			purpose, err := io.ReadAll(io.LimitReader(part, maxPurpose))
			if err != nil {
				return bodyError(err)
			}
			f.Purpose = string(purpose)
		}
	}
	switch {
	case f.Bytes < 0:
		return badRequest("file", "Missing required parameter: 'file'.")
	case f.Purpose == "":
		return badRequest("purpose", "Missing required parameter: 'purpose'.")
	}
	f.ID = x.srv.id("file-")
	x.srv.files.add(f)
	x.write(http.StatusOK, f)
	return nil
}

func listFiles(x *exchange) error {
	if _, err := x.configure(""); err != nil {
		return err
	}
	all := x.srv.files.all()
	x.write(http.StatusOK, map[string]any{"object": "list", "data": all, "has_more": false})
	return nil
}

func noFile(id string) error {
	return &apiError{status: http.StatusNotFound, param: "id", message: "No such File object: " + id + ". The last 64 files are kept."}
}

// findFile returns a file and applies the faults that were asked for.
func findFile(x *exchange, id string) (file, error) {
	if _, err := x.configure(""); err != nil {
		return file{}, err
	}
	for _, f := range x.srv.files.all() {
		if f.ID == id {
			return f, nil
		}
	}
	return file{}, noFile(id)
}

func getFile(x *exchange, id string) error {
	f, err := findFile(x, id)
	if err == nil {
		x.write(http.StatusOK, f)
	}
	return err
}

func getFileContent(x *exchange, id string) error {
	f, err := findFile(x, id)
	if err != nil {
		return err
	}
	if f.Bytes > MaxFileContent {
		return badRequest("id", "The content of %s is above %d bytes and was not kept.", id, MaxFileContent)
	}
	x.w.Header().Set("Content-Type", "application/octet-stream")
	x.rec.status(http.StatusOK)
	_, _ = x.w.Write(f.content)
	return nil
}

func deleteFile(x *exchange, id string) error {
	if !x.srv.files.drop(func(f file) bool { return f.ID == id }) {
		return noFile(id)
	}
	x.write(http.StatusOK, map[string]any{"id": id, "object": "file", "deleted": true})
	return nil
}
