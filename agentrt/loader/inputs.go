package loader

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Input is a file or folder that a bundle depends on.
type Input struct {
	// Path is relative to the functions folder, with slashes.
	Path string `json:"path"`
	// Size is in bytes; 0 for folders and missing files.
	Size    int64     `json:"size,omitempty"`
	ModTime time.Time `json:"modTime,omitzero"`
	// SHA256 is the hexadecimal hash of the content, of a folder that of its
	// entries' names; empty if a file does not exist and would matter if it did.
	SHA256 string `json:"sha256,omitempty"`
}

// unknown is the hash of an input that cannot be found on the disk: it never matches.
const unknown = "unknown"

// racyWindow is how long before its verification a file must have been written to
// be trusted by size and time: file systems' clocks are coarse.
const racyWindow = 2 * time.Second

// settingsFiles influence how imports are resolved, wherever above the functions they lie.
var settingsFiles = []string{
	"package.json", "tsconfig.json", "jsconfig.json",
	"package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb",
	"node_modules/.package-lock.json", "node_modules/.modules.yaml", "node_modules/.yarn-state.yml",
}

var extendsField = regexp.MustCompile(`"extends"\s*:\s*(\[[^\]]*\]|"(?:[^"\\]|\\.)*")`)

// collectInputs returns what the bundle described by meta depends on, sorted by path.
func collectInputs(ctx context.Context, dir string, meta metafile) ([]Input, error) {
	paths := map[string]bool{}
	for name := range meta.Inputs {
		name = strings.TrimPrefix(name, "(disabled):")
		if name == entryName || strings.HasPrefix(name, nodeNamespace+":") {
			continue
		}
		name, _, _ = strings.Cut(name, " with {") // import attributes
		paths[name] = true
		if at := strings.LastIndex(name, "node_modules/"); at < 0 {
			paths[path.Dir(name)] = true
		} else {
			at += len("node_modules/")
			paths[name[:at]+packageName(name[at:])+"/package.json"] = true
		}
	}
	up := ""
	for range ancestors(dir) {
		for _, name := range settingsFiles {
			paths[up+name] = true
		}
		addExtended(dir, up+"tsconfig.json", paths, 0)
		up += "../"
	}
	inputs := make([]Input, 0, len(paths))
	for name := range paths {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		in, err := stat(dir, name)
		if err != nil {
			return nil, err
		}
		if _, bundled := meta.Inputs[name]; bundled && in.SHA256 == "" {
			in.SHA256 = unknown
		}
		inputs = append(inputs, in)
	}
	slices.SortFunc(inputs, func(a, b Input) int { return strings.Compare(a.Path, b.Path) })
	return inputs, nil
}

// addExtended adds the relative files that a tsconfig.json extends, at most 8 deep.
func addExtended(dir, name string, paths map[string]bool, depth int) {
	content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil || depth == 8 {
		return
	}
	match := extendsField.FindSubmatch(content)
	if match == nil {
		return
	}
	var list []string
	if json.Unmarshal(match[1], &list) != nil {
		var one string
		if json.Unmarshal(match[1], &one) != nil {
			return
		}
		list = []string{one}
	}
	for _, extended := range list {
		if !strings.HasPrefix(extended, ".") {
			continue // a package: the lock file covers it
		}
		extended = path.Join(path.Dir(name), extended)
		for _, candidate := range []string{extended, extended + ".json"} {
			paths[candidate] = true
			addExtended(dir, candidate, paths, depth+1)
		}
	}
}

// stat reads an input with its hash.
func stat(dir, name string) (Input, error) {
	in := Input{Path: name}
	file := filepath.Join(dir, filepath.FromSlash(name))
	info, err := os.Stat(file)
	if isAbsent(err) {
		return in, nil
	} else if err != nil {
		return in, err
	}
	in.ModTime = info.ModTime()
	if info.IsDir() {
		entries, err := os.ReadDir(file)
		if err != nil {
			return in, err
		}
		var names strings.Builder
		for _, e := range entries {
			names.WriteString(e.Name() + "\n")
		}
		in.SHA256 = hash([]byte(names.String()))
		return in, nil
	}
	content, err := os.ReadFile(file)
	in.Size, in.SHA256 = int64(len(content)), hash(content)
	return in, err
}

// isAbsent tells a missing file, or one below something that is no folder.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// unchanged verifies in; fresh has its present state if it had to be read again.
func (in Input) unchanged(dir string, verified time.Time) (ok bool, fresh *Input) {
	info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(in.Path)))
	if isAbsent(err) {
		return in.SHA256 == "", nil
	} else if err != nil || in.SHA256 == "" || in.SHA256 == unknown {
		return false, nil
	}
	if info.ModTime().Equal(in.ModTime) && (info.IsDir() || info.Size() == in.Size) && info.ModTime().Before(verified.Add(-racyWindow)) {
		return true, nil
	}
	if !info.IsDir() && info.Size() != in.Size {
		return false, nil
	}
	now, err := stat(dir, in.Path)
	return err == nil && now.SHA256 == in.SHA256, &now
}
