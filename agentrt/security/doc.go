// Package security decides what a function may reach and use.
package security
