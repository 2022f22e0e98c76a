package agentrt

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/agentrt/agentrt/agentrt/jobs"
	"github.com/agentrt/agentrt/agentrt/triggers"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// Jobs is the app's queue of jobs: Go code enqueues, lists and works on jobs with
// it. Workers written in Go may be registered before Start; topics that begin with
// jobs.ReservedPrefix are theirs alone, since functions can neither enqueue nor
// work on them.
func (e *Engine) Jobs() *jobs.Queue { return e.jobs }

func (e *Engine) routeJobs(admin *router.RouterGroup[*core.RequestEvent]) {
	admin.GET("/jobs", e.listJobs)
	admin.GET("/jobs/stats", e.getJobStats)
	admin.POST("/jobs/retry", e.postRetryJobs)
	admin.GET("/jobs/{id}", e.jobOp(func(ctx context.Context, id string) (jobs.Info, error) { return e.jobs.Get(ctx, e.app, id) }))
	admin.DELETE("/jobs/{id}", e.jobOp(e.jobs.Discard))
	admin.POST("/jobs/{id}/retry", e.jobOp(e.jobs.Retry))
	admin.POST("/jobs/{id}/cancel", e.jobOp(func(ctx context.Context, id string) (jobs.Info, error) { return e.jobs.Cancel(ctx, e.app, id) }))
}

// filterOf reads ?topic=&state=&limit=&cursor=; state may be there more than once.
func filterOf(re *core.RequestEvent) (f jobs.Filter, err error) {
	query := re.Request.URL.Query()
	f = jobs.Filter{Topic: query.Get("topic"), Cursor: query.Get("cursor")}
	for _, state := range query["state"] {
		f.States = append(f.States, jobs.State(state))
	}
	if text := query.Get("limit"); text != "" {
		if f.Limit, err = strconv.Atoi(text); err != nil {
			return f, fmt.Errorf("limit must be a number, not %q", text)
		}
	}
	return f, nil
}

func (e *Engine) listJobs(re *core.RequestEvent) error {
	f, err := filterOf(re)
	if err != nil {
		return re.BadRequestError(err.Error(), nil)
	}
	items, next, err := e.jobs.List(re.Request.Context(), f)
	if err != nil {
		return jobsError(re, err)
	}
	return re.JSON(http.StatusOK, triggers.JobPage(items, next))
}

func (e *Engine) getJobStats(re *core.RequestEvent) error {
	topics, err := e.jobs.Stats(re.Request.Context())
	if err != nil {
		return jobsError(re, err)
	}
	return re.JSON(http.StatusOK, map[string]any{"topics": topics})
}

// postRetryJobs replays the dead letter, of one topic if ?topic= names it.
func (e *Engine) postRetryJobs(re *core.RequestEvent) error {
	n, err := e.jobs.RetryDiscarded(re.Request.Context(), re.Request.URL.Query().Get("topic"))
	if err != nil {
		return jobsError(re, err)
	}
	return re.JSON(http.StatusOK, map[string]any{"retried": n})
}

func (e *Engine) jobOp(f func(ctx context.Context, id string) (jobs.Info, error)) func(*core.RequestEvent) error {
	return func(re *core.RequestEvent) error {
		info, err := f(re.Request.Context(), re.Request.PathValue("id"))
		if err != nil {
			return jobsError(re, err)
		}
		return re.JSON(http.StatusOK, info)
	}
}

func jobsError(re *core.RequestEvent, err error) error {
	switch {
	case errors.Is(err, jobs.ErrNotFound):
		return re.NotFoundError(fmt.Sprintf("There is no job %q, or no longer.", re.Request.PathValue("id")), nil)
	case errors.Is(err, jobs.ErrState):
		return re.Error(http.StatusConflict, err.Error(), nil)
	case errors.Is(err, jobs.ErrOption), errors.Is(err, jobs.ErrTopic):
		return re.BadRequestError(err.Error(), nil)
	}
	return re.InternalServerError("The jobs are not available.", err)
}
