package quickjs

// ModuleDir is what this version keeps in a cache directory.
func ModuleDir(dir string) string { return moduleDir(dir) }
