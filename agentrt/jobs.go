package agentrt

import "github.com/agentrt/agentrt/agentrt/jobs"

// Jobs is the app's queue of jobs: Go code enqueues, lists and works on jobs with
// it. Workers written in Go take topics that begin with jobs.ReservedPrefix, which
// functions can neither enqueue nor work on; they may be registered before Start.
func (e *Engine) Jobs() *jobs.Queue { return e.jobs }
