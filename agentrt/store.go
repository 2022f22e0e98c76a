package agentrt

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/agentrt/agentrt/agentrt/deployment"
	"github.com/agentrt/agentrt/agentrt/loader"
)

// maxDeployments is how many versions are kept.
const maxDeployments = 10

// store keeps deployed bundles, a folder a version, and a file that names the
// current one.
type store struct{ dir string }

type pointer struct {
	Version   string    `json:"version"`
	Previous  string    `json:"previous,omitempty"`
	Activated time.Time `json:"activated"`
}

var versionPattern = regexp.MustCompile(`^[0-9a-f]{12}$`)

func (s store) path(version string) string { return filepath.Join(s.dir, version) }

// current returns the active version; fs.ErrNotExist if nothing was deployed.
func (s store) current() (string, error) {
	p, err := s.pointer()
	return p.Version, err
}

func (s store) pointer() (p pointer, err error) {
	text, err := os.ReadFile(filepath.Join(s.dir, "current.json"))
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(text, &p); err != nil || !versionPattern.MatchString(p.Version) {
		return p, fmt.Errorf("%s is damaged: deploy again", filepath.Join(s.dir, "current.json"))
	}
	return p, nil
}

func (s store) read(version string) (*loader.Bundle, error) {
	if !versionPattern.MatchString(version) {
		return nil, fmt.Errorf("%q is no version: %w", version, fs.ErrNotExist)
	}
	return loader.Read(s.path(version))
}

// add writes bundle as a folder that appears complete or not at all.
func (s store) add(bundle *loader.Bundle) error {
	version := deployment.Version(bundle)
	if _, err := os.Stat(s.path(version)); err == nil {
		return nil
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(s.dir, ".tmp-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := bundle.Write(tmp); err != nil {
		return err
	}
	return os.Rename(tmp, s.path(version))
}

// use makes version the current one and removes the oldest beyond the limit,
// never the current or the previous one.
func (s store) use(version string) error {
	old, err := s.pointer()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		old = pointer{}
	}
	p := pointer{Version: version, Previous: old.Version, Activated: time.Now().UTC()}
	if old.Version == version {
		p.Previous = old.Previous
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(s.dir, "current.json"), text); err != nil {
		return err
	}
	return s.prune(p)
}

func (s store) prune(p pointer) error {
	versions, err := s.list()
	if err != nil {
		return err
	}
	var errs []error
	for _, v := range versions[min(maxDeployments, len(versions)):] {
		if v.Version != p.Version && v.Version != p.Previous {
			errs = append(errs, os.RemoveAll(s.path(v.Version)))
		}
	}
	return errors.Join(errs...)
}

type deployed struct {
	Version  string    `json:"version"`
	Uploaded time.Time `json:"uploaded"`
	Current  bool      `json:"current"`
	Previous bool      `json:"previous"`
}

// list returns the versions, newest first.
func (s store) list() ([]deployed, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	p, _ := s.pointer()
	all := []deployed{}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !entry.IsDir() || !versionPattern.MatchString(entry.Name()) {
			continue
		}
		all = append(all, deployed{entry.Name(), info.ModTime().UTC(), entry.Name() == p.Version, entry.Name() == p.Previous})
	}
	slices.SortFunc(all, func(a, b deployed) int { return b.Uploaded.Compare(a.Uploaded) })
	return all, nil
}
