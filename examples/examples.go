// Package examples holds the templates for agents: projects that run as they are.
package examples

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

//go:embed all:ai
var files embed.FS

// Templates returns the names of the templates.
func Templates() []string {
	entries, err := files.ReadDir("ai")
	if err != nil {
		panic(err) // embedded at build time
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Copy writes the files of the named template below dir. It replaces no file that
// exists; then the error is fs.ErrExist.
func Copy(name, dir string) error {
	if !fs.ValidPath(name) {
		return fmt.Errorf("there is no template %q (templates: %v)", name, Templates())
	}
	root, err := fs.Sub(files, "ai/"+name)
	if err == nil {
		_, err = fs.Stat(root, ".")
	}
	if err != nil {
		return fmt.Errorf("there is no template %q (templates: %v)", name, Templates())
	}
	return fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		target := filepath.Join(dir, filepath.FromSlash(path))
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return os.MkdirAll(target, 0o755)
		}
		text, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		out, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		_, err = out.Write(text)
		return errors.Join(err, out.Close())
	})
}
