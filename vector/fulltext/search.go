package fulltext

import (
	"context"
	"maps"
	"strings"
	"unicode"

	"github.com/agentrt/agentrt/vector"
	"github.com/pocketbase/dbx"
)

// MaxWords is how many different words of a query are looked for.
const MaxWords = 64

// Search returns the ids of the documents that have a word of text, best first by
// BM25, at most limit. The filter restricts before the best are chosen. A text
// without a word finds nothing; words beyond MaxWords are left out.
func (i *Index) Search(ctx context.Context, tx dbx.Builder, name, text string, limit int, filter vector.Filter) ([]string, error) {
	match := matchOf(text)
	if match == "" {
		return nil, nil
	}
	r := i.reader(tx)
	params := dbx.Params{"fts_match": match, "fts_limit": limit}
	query := "SELECT d.id FROM " + words(name) + " t CROSS JOIN " + documents(name) + " d ON d.doc = t.rowid WHERE t." + words(name) + " MATCH {:fts_match}"
	if filter.Query != nil {
		// In the order of rank, so it is asked only until limit have passed.
		permitted := filter.Query(r).AndWhere(dbx.NewExp(filter.Column + " = d.id")).Build()
		query += " AND EXISTS (" + permitted.SQL() + ")"
		maps.Copy(params, permitted.Params())
	}
	var ids []string
	err := r.NewQuery(query + " ORDER BY t.rank LIMIT {:fts_limit}").WithContext(ctx).Bind(params).Column(&ids)
	return ids, err
}

// matchOf is an FTS5 query for any of the words of text.
func matchOf(text string) string {
	seen := map[string]bool{}
	var match []string
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r) }) {
		if word = strings.ToLower(word); !seen[word] && len(match) < MaxWords {
			seen[word] = true
			match = append(match, `"`+word+`"`)
		}
	}
	return strings.Join(match, " OR ")
}
