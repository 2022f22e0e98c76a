package agentrt

import (
	"context"
	"fmt"

	"github.com/agentrt/agentrt/vector/vectorfield"
	"github.com/pocketbase/pocketbase/core"
)

// Vectors keeps and finds the vectors of the app's records; nil unless the engine
// was made by Register.
func (e *Engine) Vectors() *vectorfield.Vectors { return e.vectors }

// VectorSearch returns the records of a collection, by name or id, that are nearest
// to a vector or a text. auth, which may be nil for a guest, is whose list rule
// restricts the search; AllRecords lifts it.
func (e *Engine) VectorSearch(ctx context.Context, collection string, auth *core.Record, q vectorfield.Query) ([]vectorfield.Hit, error) {
	c, info, err := e.searched(collection, auth)
	if err != nil {
		return nil, err
	}
	return e.vectors.Search(ctx, e.app, c, info, q)
}

// HybridSearch is VectorSearch by words and nearness together.
func (e *Engine) HybridSearch(ctx context.Context, collection string, auth *core.Record, q vectorfield.Hybrid) ([]vectorfield.Hit, error) {
	c, info, err := e.searched(collection, auth)
	if err != nil {
		return nil, err
	}
	return e.vectors.SearchHybrid(ctx, e.app, c, info, q)
}

// AllRecords, given as auth, has a superuser's rights.
var AllRecords = &core.Record{}

func (e *Engine) searched(collection string, auth *core.Record) (*core.Collection, *core.RequestInfo, error) {
	if e.vectors == nil {
		return nil, nil, ErrNotStarted
	}
	c, err := e.app.FindCachedCollectionByNameOrId(collection)
	if err != nil {
		return nil, nil, fmt.Errorf("agentrt: there is no collection %q: %w", collection, err)
	}
	if auth == AllRecords {
		return c, nil, nil
	}
	return c, &core.RequestInfo{Context: core.RequestInfoContextDefault, Method: "POST", Auth: auth}, nil
}
