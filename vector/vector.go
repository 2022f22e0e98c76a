// Package vector finds records by the nearness of vectors. It has the types and
// the Store interface; sqlitevec keeps vectors in PocketBase's data.db.
package vector

import (
	"context"

	"github.com/pocketbase/dbx"
)

// Limits of what a store takes.
const (
	// MaxDim is the largest number of dimensions.
	MaxDim = 16000
	// MaxTop is the largest number of matches of one search.
	MaxTop = 1000
	// MaxID is the largest length of a record's id in bytes.
	MaxID = 255
	// DefaultTop is the number of matches if a query names none.
	DefaultTop = 10
)

// Metric says how the nearness of two vectors is computed.
type Metric string

// The metrics.
const (
	// Cosine compares directions: the distance is 1 minus the cosine of the
	// angle, the score the cosine. Zero vectors are refused.
	Cosine Metric = "cosine"
	// L2 is the Euclidean distance; the score is 1/(1+distance).
	L2 Metric = "l2"
	// Dot is the inner product, which is the score; the distance is its negative.
	Dot Metric = "dot"
)

// Space is a set of vectors of one dimension and metric, such as those of one
// field of a collection. Name has 1 to 100 letters, digits and underscores; the
// ids of collection and field survive their renaming.
type Space struct {
	Name   string
	Dim    int
	Metric Metric
}

// Item is a record's vector.
type Item struct {
	ID     string
	Vector []float32
}

// Query asks for the nearest vectors of a space.
type Query struct {
	Vector []float32
	// Top is the number of matches wanted, at most MaxTop; 0 means DefaultTop.
	Top int
	// Filter restricts the search before the nearest are chosen: if Top permitted
	// vectors exist, Top matches come back. The zero value permits all.
	Filter Filter
	// Recall is the wanted share of the true nearest among the matches, 0 to 1; 0
	// leaves it to the store, 1 compares every vector. A store that chooses
	// candidates first takes more of them for a higher recall; how many are
	// needed depends on the data.
	Recall float64
	// Exact compares every permitted vector, as Recall 1 does.
	Exact bool
}

// Filter names the permitted records, by IDs or by Query; not both.
type Filter struct {
	// IDs are the permitted ids. An empty slice that is not nil permits none.
	IDs []string
	// Query returns a new query of the permitted ids, its only column. It may be
	// called several times in a search, with the transaction of the search.
	Query func(tx dbx.Builder) *dbx.SelectQuery
	// Column is what Query selects, such as "docs.id", as SQL that the store may
	// use in a further condition.
	Column string
}

// Match is a found record. Matches are ordered by distance, then by id.
type Match struct {
	ID       string
	Score    float64
	Distance float64
}

// Verification is the result of comparing a space with its index.
type Verification struct {
	// Vectors is the number of vectors; Indexed says whether there is an index.
	Vectors int
	Indexed bool
	// Missing vectors are not in the index, Wrong ones differ from it, Stale
	// entries have no vector.
	Missing, Wrong, Stale int
}

// OK reports whether the index agrees with the vectors.
func (v Verification) OK() bool { return v.Missing == 0 && v.Wrong == 0 && v.Stale == 0 }

// Store keeps and searches vectors. It is safe for concurrent use.
//
// tx is the transaction to join, for PocketBase the NonconcurrentDB of the app in
// RunInTransaction, which is also what the Execute hooks of a record have there.
// What is written becomes visible with its commit and vanishes with its rollback;
// a search in a transaction sees what the transaction has written. nil means a
// transaction of its own for a write, and the last committed state for a search.
//
// Bad input gives an *InputError.
type Store interface {
	// Create makes a space; an existing one of the same dimension and metric stays
	// as it is, any other is ErrSpace.
	Create(ctx context.Context, tx dbx.Builder, space Space) error
	// Drop removes a space and its vectors. An unknown name is no error.
	Drop(ctx context.Context, tx dbx.Builder, name string) error
	// Put sets the vectors of records; of an id that occurs twice the last counts.
	Put(ctx context.Context, tx dbx.Builder, name string, items ...Item) error
	// Delete removes the vectors of records. Unknown ids are no error.
	Delete(ctx context.Context, tx dbx.Builder, name string, ids ...string) error
	// Get returns a record's vector, nil if there is none.
	Get(ctx context.Context, tx dbx.Builder, name, id string) ([]float32, error)
	// Count returns the number of vectors.
	Count(ctx context.Context, tx dbx.Builder, name string) (int, error)
	// Search returns the nearest permitted vectors.
	Search(ctx context.Context, tx dbx.Builder, name string, query Query) ([]Match, error)
	// Rebuild makes the index of a space anew beside reads and writes. progress, if
	// not nil, is called with the number of vectors done and the expected total.
	Rebuild(ctx context.Context, name string, progress func(done, total int)) error
	// Verify compares all vectors of a space with its index.
	Verify(ctx context.Context, name string, progress func(done, total int)) (Verification, error)
	// Close ends the work in the background. The database stays open.
	Close() error
}
