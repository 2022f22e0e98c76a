package deployment

import (
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones of cron jobs, on machines that have none

	"github.com/pocketbase/pocketbase/tools/cron"
)

// Hook is a record hook that the bundle registered.
type Hook struct {
	// Event is beforeCreate, afterCreate and so on.
	Event string
	// Collections are names or ids, or "*" for all.
	Collections []string
	Access      Access

	narrowed string // what Access was read from
}

// HookGroup are hooks that run in one invocation, one after another.
type HookGroup struct {
	// Hooks are their numbers for the platform module.
	Hooks  []int
	Access Access
}

// Cron is a job that the bundle registered.
type Cron struct {
	Name, Expression string
	// Index is its number for the platform module.
	Index int
	// Schedule is the parsed expression.
	Schedule *cron.Schedule
	// Location is its time zone, nil for that of PocketBase's cron.
	Location *time.Location
	// Overlap allows a run while another one has not ended.
	Overlap bool
	Access  Access
}

// Hooks returns all hooks in the order of registration.
func (d *Deployment) Hooks() []Hook { return d.hooks }

// Crons returns the jobs.
func (d *Deployment) Crons() []Cron { return d.crons }

// HooksFor returns the hooks on event for a collection with the given name and id,
// in the order of registration; nil if there are none. Neighbours with the same
// Access form a group.
func (d *Deployment) HooksFor(event, name, id string) (groups []HookGroup) {
	narrowed := ""
	for k, h := range d.hooks {
		if h.Event != event || !slices.ContainsFunc(h.Collections, func(c string) bool { return c == "*" || c == name || c == id }) {
			continue
		}
		if groups == nil || h.narrowed != narrowed {
			narrowed = h.narrowed
			groups = append(groups, HookGroup{Access: h.Access})
		}
		last := &groups[len(groups)-1]
		last.Hooks = append(last.Hooks, k)
	}
	return groups
}

func (d *Deployment) takeEvents(described description) error {
	problems := described.Problems
	for _, h := range described.Hooks {
		access, err := ParseAccess(h.Access)
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s on %s: %v", h.From, strings.Join(h.Collections, ", "), err))
		}
		d.hooks = append(d.hooks, Hook{Event: h.Event, Collections: h.Collections, Access: access, narrowed: string(h.Access)})
	}
	from := map[string]string{}
	for k, c := range described.Crons {
		job := Cron{Name: c.Name, Expression: c.Schedule, Index: k, Overlap: c.Overlap}
		var err error
		if job.Schedule, err = cron.NewSchedule(c.Schedule); err != nil {
			problems = append(problems, fmt.Sprintf("%s: the schedule %q is wrong: %v (five fields: minute hour day month weekday, such as \"0 7 * * 1-5\", or @hourly, @daily, @weekly, @monthly, @yearly)", c.From, c.Schedule, err))
		}
		if c.Timezone != "" {
			if job.Location, err = time.LoadLocation(c.Timezone); err != nil || c.Timezone == "Local" {
				problems = append(problems, fmt.Sprintf("%s: the time zone %q is unknown: use an IANA name such as \"Europe/Berlin\"", c.From, c.Timezone))
			}
		}
		if first, dup := from[c.Name]; dup {
			problems = append(problems, fmt.Sprintf("%s: a cron job named %q exists already (%s): names are unique", c.From, c.Name, first))
		}
		if job.Access, err = ParseAccess(c.Access); err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", c.From, err))
		}
		from[c.Name] = c.From
		d.crons = append(d.crons, job)
	}
	if len(problems) > 0 {
		return &LoadError{Problems: problems}
	}
	return nil
}
