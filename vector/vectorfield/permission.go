package vectorfield

import (
	"errors"
	"fmt"
	"strings"

	"github.com/agentrt/agentrt/vector"
	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
	"github.com/pocketbase/pocketbase/tools/search"
)

// permission is which records a search may find: those that the list rule and the
// filter permit, as a list of the Web API has it.
type permission struct {
	collection *core.Collection
	resolver   *core.RecordFieldResolver
	conditions []dbx.Expression
}

// newPermission takes the filter of a search by info; nil has a superuser's rights.
func newPermission(app core.App, c *core.Collection, info *core.RequestInfo, filter string) (*permission, error) {
	all := info == nil || info.HasSuperuserAuth()
	if c.ListRule == nil && !all {
		return nil, router.NewForbiddenError("Only superusers can perform this action.", nil)
	}
	if info == nil {
		info = &core.RequestInfo{Context: core.RequestInfoContextDefault}
	}
	p := &permission{collection: c, resolver: core.NewRecordFieldResolver(app, c, info, true)}
	if !all && *c.ListRule != "" {
		rule, err := search.FilterData(*c.ListRule).BuildExpr(p.resolver)
		if err != nil {
			return nil, fmt.Errorf("the list rule of %s: %w", c.Name, err)
		}
		p.conditions = append(p.conditions, rule)
	}
	p.resolver.SetAllowHiddenFields(all)
	if filter != "" {
		condition, err := p.parse(filter, all)
		if err != nil {
			return nil, err
		}
		p.conditions = append(p.conditions, condition)
	}
	if err := p.restrict(app.RecordQuery(c)); err != nil {
		return nil, fmt.Errorf("the list rules: %w", err)
	}
	return p, nil
}

func (p *permission) parse(filter string, all bool) (dbx.Expression, error) {
	bad := func(message string) error {
		return validation.Errors{"filter": newProblem("validation_vector_filter", message)}
	}
	if len(filter) > search.MaxFilterLength {
		return nil, bad(fmt.Sprintf("Expected at most %d bytes, got %d.", search.MaxFilterLength, len(filter)))
	}
	for _, word := range []string{"@collection.", "@request."} {
		if !all && strings.Contains(filter, word) {
			return nil, router.NewForbiddenError("Only superusers can filter by "+word, nil)
		}
	}
	condition, err := search.FilterData(filter).BuildExpr(p.resolver)
	if err != nil {
		return nil, bad(fmt.Sprintf("Expected a filter on the fields of %s, got %.100q: %v.", p.collection.Name, filter, err))
	}
	return condition, nil
}

// restrict lets query have permitted records only.
func (p *permission) restrict(query *dbx.SelectQuery) error {
	for _, condition := range p.conditions {
		query.AndWhere(condition)
	}
	return p.resolver.UpdateQuery(query)
}

func (p *permission) column() string { return "{{" + p.collection.Name + "}}.[[id]]" }

// filter is the permission as a store takes it. Without a condition each
// vector's record is permitted.
func (p *permission) filter() vector.Filter {
	if len(p.conditions) == 0 {
		return vector.Filter{}
	}
	return vector.Filter{Column: p.column(), Query: func(tx dbx.Builder) *dbx.SelectQuery {
		query := tx.Select(p.column()).From(p.collection.Name)
		if err := p.restrict(query); err != nil {
			query.AndWhere(dbx.NewExp("1=0")) // newPermission has tried it
		}
		return query
	}}
}

// badOption is what is wrong with an option of a search.
func badOption(option, code, want string, got any) error {
	return validation.Errors{option: newProblem("validation_vector_"+code, fmt.Sprintf("Expected %s, got %v.", want, got))}
}

// optionOf names the option that err, of a store, is about.
func optionOf(err error) error {
	input, ok := errors.AsType[*vector.InputError](err)
	if !ok || input.Kind == vector.ErrNoSpace {
		return err
	}
	return validation.Errors{input.Field: problemOf(err)}
}
