// Package jobs is a durable queue: jobs by topic, at least once, with retries,
// schedules, priorities and a dead letter. It knows PocketBase's app but nothing
// of JavaScript; workers are Go functions.
//
// River works the jobs, in a SQLite file of its own (jobs.db in the data folder),
// so that it never holds PocketBase's single writer. Enqueue writes a row into the
// outbox, a table of data.db: inside a transaction the job exists only if that
// commits. Committed rows are moved to River at once, and at the next start if the
// process died in between. A job that ran when the process died runs again right
// after the next start; the attempt counts.
package jobs
