package triggers

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/agentrt/agentrt/agentrt/deployment"
	"github.com/agentrt/agentrt/agentrt/invocation"
	"github.com/agentrt/agentrt/hostfn/pb"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/cron"
)

// zoneJob is the name under which PocketBase's cron runs Tick.
const zoneJob = "__agentrtZones__"

// Crons run the jobs of the current deployment. Each is in PocketBase's list under
// its name with its schedule. PocketBase's cron runs those without a time zone; of
// the others the list has an entry that does nothing, and Tick runs them each
// minute by their own clock.
//
// Runs that were missed while the server was down are not made up for. A local
// time that a change of the clock skips does not run that day; one that occurs
// twice runs twice.
type Crons struct {
	app    core.App
	runner *invocation.Runner

	mu      sync.Mutex
	listed  []string
	running map[string]int
}

// NewCrons returns crons without jobs.
func NewCrons(app core.App, runner *invocation.Runner) *Crons {
	return &Crons{app: app, runner: runner, running: map[string]int{}}
}

// Conflict reports a job of d whose name a job of other origin has.
func (c *Crons) Conflict(d *deployment.Deployment) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, job := range d.Crons() {
		taken := func(j *cron.Job) bool { return j.Id() == job.Name }
		if !slices.Contains(c.listed, job.Name) && slices.ContainsFunc(c.app.Cron().Jobs(), taken) || job.Name == zoneJob {
			return &deployment.LoadError{Problems: []string{fmt.Sprintf("a cron job named %q exists already: Go code or PocketBase added it; choose another name", job.Name)}}
		}
	}
	return nil
}

// Switch lists the jobs of d, nil for none, in place of the former ones. What runs
// goes on.
func (c *Crons) Switch(d *deployment.Deployment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range c.listed {
		c.app.Cron().Remove(name)
	}
	c.listed = nil
	if d == nil {
		return
	}
	add := func(name, schedule string, run func()) {
		// The schedule was checked when the deployment was loaded.
		c.app.Cron().MustAdd(name, schedule, run)
		c.listed = append(c.listed, name)
	}
	zones := false
	for _, job := range d.Crons() {
		if job.Location != nil {
			zones = true
			add(job.Name, job.Expression, func() {})
			continue
		}
		add(job.Name, job.Expression, func() { c.Run(job.Name) })
	}
	if zones {
		add(zoneJob, "* * * * *", func() { c.Tick(time.Now()) })
	}
}

// Tick starts the jobs with a time zone that are due in the minute of now.
func (c *Crons) Tick(now time.Time) {
	d := c.runner.Current()
	if d == nil {
		return
	}
	for _, job := range d.Crons() {
		if job.Location != nil && job.Schedule.IsDue(cron.NewMoment(now.In(job.Location))) {
			c.runner.Go(func() { c.Run(job.Name) })
		}
	}
}

// Run runs the job named name of the current deployment, unless it runs already
// and does not allow that, and waits for its end. Errors are logged.
func (c *Crons) Run(name string) {
	d := c.runner.Current()
	if d == nil {
		return
	}
	k := slices.IndexFunc(d.Crons(), func(j deployment.Cron) bool { return j.Name == name })
	if k < 0 {
		return // the deployment was replaced a moment ago
	}
	job := d.Crons()[k]
	if !c.enter(job) {
		c.app.Logger().Warn("cron job skipped: its last run has not ended", "type", "function", "cron", name)
		return
	}
	defer c.leave(name)
	c.call(name, name, map[string]any{"job": job.Index, "name": name}, job.Access)
}

func (c *Crons) enter(job deployment.Cron) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running[job.Name] > 0 && !job.Overlap {
		return false
	}
	c.running[job.Name]++
	return true
}

func (c *Crons) leave(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running[name]--; c.running[name] == 0 {
		delete(c.running, name)
	}
}

func (c *Crons) call(name, target string, head any, access deployment.Access) {
	_, err := runEvent(c.runner.Base(), cronTimeout, c.runner, invocation.Call{Kind: "cron", Target: name, Export: "cron", Head: head, Access: access, Data: &pb.Scope{App: c.app}})
	if err != nil {
		c.app.Logger().Error(c.runner.Redact(err.Error()), "type", "function", "target", target, "cron", name)
	}
}

// BindHandler runs handler ("crons/digest.ts#export") on a schedule of five cron
// fields in the zone of PocketBase's cron. It returns what removes the job.
func (c *Crons) BindHandler(name, schedule, handler string) (remove func(), err error) {
	err = c.app.Cron().Add(name, schedule, func() {
		c.call(name, handler, map[string]any{"handler": handler, "name": name}, deployment.Access{})
	})
	if err != nil {
		return nil, fmt.Errorf("cron %s: %w", name, err)
	}
	return func() { c.app.Cron().Remove(name) }, nil
}

// Handle lets superusers start jobs that have a time zone through PocketBase's own
// route, whose list entry does nothing for them.
func (c *Crons) Handle(e *core.RequestEvent) error {
	if e.Request.Method == http.MethodPost && e.Request.Pattern == "POST /api/crons/{id}" && e.HasSuperuserAuth() {
		name := e.Request.PathValue("id")
		if d := c.runner.Current(); d != nil && slices.ContainsFunc(d.Crons(), func(j deployment.Cron) bool { return j.Name == name && j.Location != nil }) {
			c.runner.Go(func() { c.Run(name) })
			return e.NoContent(http.StatusNoContent)
		}
	}
	return e.Next()
}
