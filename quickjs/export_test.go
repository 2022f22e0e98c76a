package quickjs

// ModuleDir is what this version keeps in a cache directory.
func ModuleDir(dir string) string { return moduleDir(dir) }

// BorrowsStack reports whether calls of i run on a shared stack.
func BorrowsStack(i *Instance) bool { return i.stack.slice != nil }
