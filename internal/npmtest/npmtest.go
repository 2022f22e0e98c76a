// Package npmtest installs the npm packages that tests use: the versions of a
// committed package-lock.json.
package npmtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Install copies package.json and package-lock.json from dir to a temporary
// folder, runs npm ci there and returns the folder. It skips with -short and fails
// without npm.
func Install(t testing.TB, dir string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: installs npm packages")
	}
	if _, err := exec.LookPath("npm"); err != nil {
		t.Fatal("npm is needed to install the packages that this test bundles: install Node.js with npm, or run with -short")
	}
	project := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(project, name), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := npmCI(project); err != nil {
		t.Fatalf("npm ci of %s: %v", dir, err)
	}
	return project
}

func npmCI(project string) error {
	cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	cmd.Dir = project
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = errors.Join(err, fmt.Errorf("%s", out))
	}
	return err
}
