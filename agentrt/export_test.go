package agentrt

import "time"

// TickCrons is the minute of now for jobs that have a time zone.
func TickCrons(e *Engine, now time.Time) { e.crons.Tick(now) }
