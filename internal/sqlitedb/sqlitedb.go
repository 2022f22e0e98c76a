// Package sqlitedb opens the SQLite databases of PocketBase, with sqlite-vec: by
// modernc.org/sqlite, which is pure Go, or with the build tag cgo_sqlite by
// mattn/go-sqlite3 and sqlite-vec in C.
package sqlitedb
