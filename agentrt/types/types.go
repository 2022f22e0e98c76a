// Package types has the TypeScript declarations for editors: of the globals that
// functions see, of the records of an app's collections, and of host modules.
package types

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/agentrt/agentrt/hostfn/hostmodule"
	"github.com/pocketbase/pocketbase/core"
)

//go:embed *.d.ts
var files embed.FS

const generated = "// Written by \"agentrt types\": changes are lost.\n\n"

const hostFile = "host.d.ts"

// Write writes the declarations to dir, which is created if need be: those of this
// package, collections.d.ts, and host.d.ts if there are modules. Files that would
// not change are left alone.
func Write(dir string, collections []*core.Collection, modules []*hostmodule.Module) error {
	content := map[string][]byte{"collections.d.ts": []byte(generated + Collections(collections))}
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		text, err := files.ReadFile(e.Name())
		if err != nil {
			return err
		}
		content[e.Name()] = append([]byte(generated), text...)
	}
	if len(modules) > 0 {
		text, err := hostmodule.Declarations(modules)
		if err != nil {
			return err
		}
		content[hostFile] = []byte(generated + text)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("writing types: %w", err)
	}
	for name, text := range content {
		if err := write(filepath.Join(dir, name), text); err != nil {
			return fmt.Errorf("writing types: %w", err)
		}
	}
	if len(modules) > 0 {
		return nil
	}
	if err := removeGenerated(filepath.Join(dir, hostFile)); err != nil {
		return fmt.Errorf("writing types: %w", err)
	}
	return nil
}

func write(name string, text []byte) error {
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, text) {
		return nil
	}
	return os.WriteFile(name, text, 0o644)
}

// removeGenerated removes a file that Write wrote.
func removeGenerated(name string) error {
	old, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || !bytes.HasPrefix(old, []byte(generated)) {
		return err
	}
	return os.Remove(name)
}
