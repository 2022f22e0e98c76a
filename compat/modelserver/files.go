package modelserver

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// file is the metadata of an upload; its content is counted and thrown away.
type file struct {
	ID        string `json:"id"`
	Object    string `json:"object"`
	Bytes     int64  `json:"bytes"`
	CreatedAt int64  `json:"created_at"`
	Filename  string `json:"filename"`
	Purpose   string `json:"purpose"`
	Status    string `json:"status"`
}

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
			if f.Bytes, err = io.Copy(io.Discard, part); err != nil {
				return bodyError(err)
			}
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

func getFile(x *exchange, id string) error {
	if _, err := x.configure(""); err != nil {
		return err
	}
	for _, f := range x.srv.files.all() {
		if f.ID == id {
			x.write(http.StatusOK, f)
			return nil
		}
	}
	return &apiError{status: http.StatusNotFound, param: "id", message: "No such File object: " + id + ". The last 64 files are kept."}
}
