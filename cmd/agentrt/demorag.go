package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

const demoPassword = "demo-password"

// importRAG makes the collections of the template rag, which was copied to dir.
func importRAG(app core.App, dir string) error {
	collections, err := os.ReadFile(filepath.Join(dir, "collections.json"))
	if err != nil {
		return err
	}
	if err := app.ImportCollectionsByMarshaledJSON(collections, false); err != nil {
		return fmt.Errorf("importing the collections of the template rag: %w", err)
	}
	return nil
}

var demoDocuments = []struct{ team, user, title, file, text string }{
	{"Alpha", "ann", "Handbook of Alpha", "handbook.md", `# Handbook of Alpha

## Vacation

Everybody at Alpha has 28 days of vacation a year. Vacation is announced two weeks ahead.

## Travel

Trips are booked by the office in Lisbon. Trains are preferred to planes.
`},
	{"Beta", "bob", "Handbook of Beta", "handbook.html", `<h1>Handbook of Beta</h1><h2>Vacation</h2>
<p>Everybody at Beta has 33 days of vacation a year. Two of them are for the carnival.</p>
<h2>Salaries</h2><p>Salaries at Beta are paid on the fifth of each month.</p>`},
}

// fillRAG makes two users, a team of each, and a document of each team. The functions
// must have been loaded: their hook makes the passages.
func fillRAG(app core.App) error {
	for _, d := range demoDocuments {
		user, err := demoRecord(app, "users", map[string]any{"email": d.user + "@example.com", "password": demoPassword, "verified": true})
		if err != nil {
			return err
		}
		team, err := demoRecord(app, "teams", map[string]any{"name": d.team})
		if err != nil {
			return err
		}
		if _, err := demoRecord(app, "members", map[string]any{"team": team.Id, "user": user.Id}); err != nil {
			return err
		}
		file, err := filesystem.NewFileFromBytes([]byte(d.text), d.file)
		if err != nil {
			return err
		}
		if _, err := demoRecord(app, "documents", map[string]any{"title": d.title, "team": team.Id, "owner": user.Id, "file": file}); err != nil {
			return err
		}
	}
	return nil
}

func demoRecord(app core.App, collection string, values map[string]any) (*core.Record, error) {
	c, err := app.FindCollectionByNameOrId(collection)
	if err != nil {
		return nil, err
	}
	record := core.NewRecord(c)
	record.Load(values)
	if err := app.Save(record); err != nil {
		return nil, fmt.Errorf("filling %s: %w", collection, err)
	}
	return record, nil
}
