package agentrt

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"

	"github.com/agentrt/agentrt/agentrt/deployment"
	"github.com/agentrt/agentrt/agentrt/loader"
	"github.com/pocketbase/pocketbase/core"
)

// maxUpload bounds an uploaded bundle with its source map, in bytes.
const maxUpload = 128 << 20

// BundleFiles are the form fields of an upload to /api/agentrt/deployments, each
// a file of that name.
var BundleFiles = []string{"manifest.json", "bundle.js", "bundle.js.map"}

func (e *Engine) listDeployments(re *core.RequestEvent) error {
	all, err := e.store.list()
	if err != nil {
		return re.InternalServerError("The deployments cannot be listed.", err)
	}
	return re.JSON(http.StatusOK, map[string]any{"deployments": all})
}

// postDeployment takes a built bundle, evaluates it, keeps it and switches to it.
// A bundle that fails leaves everything as it was.
func (e *Engine) postDeployment(re *core.RequestEvent) error {
	dir, err := os.MkdirTemp("", "agentrt-upload-*")
	if err != nil {
		return re.InternalServerError("The upload cannot be stored.", err)
	}
	defer os.RemoveAll(dir)
	if err := receive(re.Request, dir); err != nil {
		return re.BadRequestError(err.Error(), nil)
	}
	bundle, err := loader.Read(dir)
	if err == nil {
		err = bundle.SourceMap.Prepare()
	}
	if err != nil {
		return re.BadRequestError(err.Error(), nil)
	}
	version := deployment.Version(bundle)
	err = e.activate(re.Request.Context(), bundle, func() error {
		return errors.Join(e.store.add(bundle), e.store.use(version))
	})
	if _, ok := errors.AsType[*deployment.LoadError](err); ok {
		return re.BadRequestError(err.Error(), nil)
	}
	if err != nil {
		return re.InternalServerError("The bundle was not deployed.", err)
	}
	return re.JSON(http.StatusOK, map[string]any{"version": version, "routes": bundle.Manifest.Routes})
}

func receive(r *http.Request, dir string) error {
	if err := r.ParseMultipartForm(8 << 20); err != nil {
		return fmt.Errorf("the upload must be multipart/form-data with the files %v: %w", BundleFiles, err)
	}
	defer r.MultipartForm.RemoveAll()
	for _, name := range BundleFiles {
		files := r.MultipartForm.File[name]
		if len(files) != 1 {
			return fmt.Errorf("the upload needs one file in the field %q", name)
		}
		if err := save(files[0], filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func save(file *multipart.FileHeader, path string) error {
	in, err := file.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

func (e *Engine) postActivate(re *core.RequestEvent) error {
	version := re.Request.PathValue("version")
	bundle, err := e.store.read(version)
	if errors.Is(err, fs.ErrNotExist) {
		return re.NotFoundError(fmt.Sprintf("There is no deployment %q.", version), nil)
	}
	if err != nil {
		return re.InternalServerError("The deployment cannot be read.", err)
	}
	err = e.activate(re.Request.Context(), bundle, func() error { return e.store.use(version) })
	if _, ok := errors.AsType[*deployment.LoadError](err); ok {
		return re.BadRequestError(err.Error(), nil)
	}
	if err != nil {
		return re.InternalServerError("The version was not activated.", err)
	}
	return re.JSON(http.StatusOK, map[string]any{"version": version})
}
