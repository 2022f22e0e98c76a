package vectorfield

import (
	"embed"
	"io/fs"
)

//go:embed dashboard/main.js
var dashboardFiles embed.FS

// dashboard is the extension of PocketBase's dashboard.
func dashboard() fs.FS {
	files, err := fs.Sub(dashboardFiles, "dashboard")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return files
}
