package loader

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"
)

// ModuleName is the name under which a bundle's code is evaluated: the file name in its stack frames.
const ModuleName = "agentrt:app"

// Limits of a bundle, in bytes.
const (
	MaxCode      = 32 << 20
	MaxSourceMap = 64 << 20
	maxManifest  = 8 << 20
)

// FormatVersion is the version of the manifest and of the mount call that this package writes and reads.
const FormatVersion = 1

// EsbuildVersion is the version of esbuild that bundles.
const EsbuildVersion = "0.28.2"

const (
	mapFile      = bundleFile + ".map"
	manifestFile = "manifest.json"
)

// Manifest describes a bundle.
type Manifest struct {
	Format  int       `json:"format"`
	Created time.Time `json:"created"`
	// SHA256 and SourceMapSHA256 are the hexadecimal hashes of the code and the map.
	SHA256          string `json:"sha256"`
	SourceMapSHA256 string `json:"sourceMapSha256"`
	Dev             bool   `json:"dev,omitempty"`
	// Routes are sorted by file.
	Routes []Route `json:"routes"`
	// Hooks, Workers and Crons are keys of the mount call, such as hooks/users.ts, sorted.
	Hooks   []string `json:"hooks"`
	Workers []string `json:"workers"`
	Crons   []string `json:"crons"`
	Esbuild string   `json:"esbuild"`
	AgentRT string   `json:"agentrt"`
}

// Bundle is a bundled functions folder.
type Bundle struct {
	// Code is an ES module, evaluated under ModuleName.
	Code      []byte
	SourceMap *SourceMap
	Manifest  Manifest
	// Inputs are the files and folders that the bundle depends on; nil after Read.
	Inputs []Input
	// Warnings are about places that are probably mistakes; nil after Read.
	Warnings []Diagnostic
}

// Version returns the version of agentrt in this binary, "devel" if it was built from a work tree.
func Version() string {
	const module = "github.com/agentrt/agentrt"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range append(info.Deps, &info.Main) {
			if m.Path == module && m.Version != "" && m.Version != "(devel)" {
				return m.Version
			}
		}
	}
	return "devel"
}

func hash(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func checkSizes(code, sourceMap int64) error {
	if code > MaxCode {
		return fmt.Errorf("the bundle has %d bytes, at most %d are allowed: drop large packages or embedded files", code, MaxCode)
	}
	if sourceMap > MaxSourceMap {
		return fmt.Errorf("the source map has %d bytes, at most %d are allowed: drop large packages or embedded files", sourceMap, MaxSourceMap)
	}
	return nil
}

// Write writes bundle.js, bundle.js.map and manifest.json to dir, which is created
// if it does not exist. Each file is replaced as a whole and the manifest last: a
// reader in between gets an error of Read.
func (b *Bundle) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("writing the bundle: %w", err)
	}
	manifest, err := json.MarshalIndent(b.Manifest, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the bundle: %w", err)
	}
	sourceMap, err := b.SourceMap.Bytes()
	if err != nil {
		return fmt.Errorf("writing the bundle: %w", err)
	}
	for _, f := range []struct {
		name    string
		content []byte
	}{{bundleFile, b.Code}, {mapFile, sourceMap}, {manifestFile, append(manifest, '\n')}} {
		if err := replaceFile(filepath.Join(dir, f.name), f.content); err != nil {
			return fmt.Errorf("writing the bundle: %w", err)
		}
	}
	return nil
}

// replaceFile writes a file beside name and renames it.
func replaceFile(name string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// Read reads what Write wrote. It verifies sizes, the hash of the code, the format
// version, and that the routes do not conflict. The versions of agentrt and esbuild
// may differ. The source map is read, and its hash verified, when it is first needed.
func Read(dir string) (*Bundle, error) {
	b, err := readBundle(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the bundle in %s: %w", dir, err)
	}
	return b, nil
}

func readBundle(dir string) (*Bundle, error) {
	manifest, err := readLimited(filepath.Join(dir, manifestFile), maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; make one with \"agentrt build\"", err)
	} else if err != nil {
		return nil, err
	}
	b := new(Bundle)
	if err := json.Unmarshal(manifest, &b.Manifest); err != nil {
		return nil, fmt.Errorf("%s is malformed: %w", manifestFile, err)
	}
	if v := b.Manifest.Format; v != FormatVersion {
		return nil, fmt.Errorf("the bundle has format %d (agentrt %s), this agentrt (%s) reads format %d: build it again with this version", v, b.Manifest.AgentRT, Version(), FormatVersion)
	}
	if b.Code, err = readHashed(filepath.Join(dir, bundleFile), MaxCode, b.Manifest.SHA256); err != nil {
		return nil, err
	}
	name := filepath.Join(dir, mapFile)
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if err := checkSizes(0, info.Size()); err != nil {
		return nil, err
	}
	b.SourceMap = &SourceMap{file: name, hash: b.Manifest.SourceMapSHA256}
	if err := b.Manifest.check(); err != nil {
		return nil, fmt.Errorf("%s is malformed: %w", manifestFile, err)
	}
	return b, nil
}

// check verifies what the manifest names.
func (m *Manifest) check() error {
	n := len(m.Routes) + len(m.Hooks) + len(m.Workers) + len(m.Crons)
	if n > maxEntries {
		return fmt.Errorf("it names %d files, at most %d are allowed", n, maxEntries)
	}
	for kind, files := range map[string][]string{"hooks/": m.Hooks, "workers/": m.Workers, "crons/": m.Crons} {
		for _, file := range files {
			if !strings.HasPrefix(file, kind) {
				return fmt.Errorf("%q is not in %s", file, kind)
			}
		}
	}
	_, err := NewRouter(m.Routes)
	return err
}

// readHashed reads a file of a bundle.
func readHashed(name string, limit int64, want string) ([]byte, error) {
	content, err := readLimited(name, limit)
	if err != nil {
		return nil, err
	}
	if got := hash(content); got != want {
		return nil, fmt.Errorf("%s was changed after it was built or its upload is incomplete (sha256 %s, the manifest says %s): build it again", filepath.Base(name), got, want)
	}
	return content, nil
}

func readLimited(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", filepath.Base(name))
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%s has %d bytes, at most %d are allowed", filepath.Base(name), info.Size(), limit)
	}
	content := make([]byte, info.Size())
	if _, err := io.ReadFull(f, content); err != nil {
		return nil, err
	}
	return content, nil
}
