package deployment

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/agentrt/agentrt/agentrt/jobs"
	"github.com/agentrt/agentrt/hostfn/pb"
)

// Worker works on the jobs of a topic.
type Worker struct {
	Topic string
	// Options are the queue's.
	Options jobs.HandlerOptions
	// CPU, Memory and Access are as in RouteConfig.
	CPU    time.Duration
	Memory uint32
	Access
}

// Workers returns the bundle's.
func (d *Deployment) Workers() []Worker { return d.workers }

// Worker returns that of a topic.
func (d *Deployment) Worker(topic string) (Worker, bool) {
	k := slices.IndexFunc(d.workers, func(w Worker) bool { return w.Topic == topic })
	if k < 0 {
		return Worker{}, false
	}
	return d.workers[k], true
}

func (d *Deployment) takeWorkers(described description, maxMemory uint32) error {
	var problems []string
	from := map[string]string{}
	for _, w := range described.Workers {
		worker, err := parseWorker(w.Config)
		worker.Topic = w.Topic
		switch {
		case err != nil:
		case worker.Memory > maxMemory:
			err = fmt.Errorf("memory: at most %d MiB here (the server's --function-memory)", maxMemory>>20)
		case jobs.Reserved(w.Topic):
			err = fmt.Errorf("topics that begin with %q are reserved for workers written in Go", jobs.ReservedPrefix)
		case from[w.Topic] != "":
			err = fmt.Errorf("the topic %q has a worker already (%s)", w.Topic, from[w.Topic])
		default:
			err = jobs.CheckTopic(w.Topic)
		}
		if err == nil {
			err = worker.Options.Check()
		}
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", w.From, err))
		}
		from[w.Topic] = w.From
		d.workers = append(d.workers, worker)
	}
	if problems != nil {
		return &LoadError{Problems: problems}
	}
	return nil
}

func parseWorker(raw json.RawMessage) (w Worker, err error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return w, fmt.Errorf("config must be an object such as { concurrency: 5, timeout: \"5m\" }")
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		value := fields[key]
		switch key {
		case "concurrency":
			w.Options.Concurrency, err = parseCount(value)
		case "maxAttempts":
			w.Options.MaxAttempts, err = parseCount(value)
		case "timeout":
			w.Options.Timeout, err = parseTime(value)
		case "backoff":
			var b pb.JobBackoff
			if err = json.Unmarshal(value, &b); err == nil {
				w.Options.Backoff = &jobs.Backoff{Delay: time.Duration(b.Delay), Max: time.Duration(b.Max), Fixed: b.Type == "fixed"}
			}
		case "cpu":
			w.CPU, err = parseTime(value)
		case "memory":
			w.Memory, err = parseSize(value)
		default:
			known, err := w.take(key, value)
			if !known {
				return w, fmt.Errorf("config.%s is unknown (known: backoff, concurrency, cpu, maxAttempts, memory, net, secrets, timeout)", key)
			}
			if err != nil {
				return w, fmt.Errorf("config.%w", err)
			}
		}
		if err != nil {
			return w, fmt.Errorf("config.%s: %w", key, err)
		}
	}
	return w, nil
}

func parseCount(raw json.RawMessage) (n int, err error) {
	if err := json.Unmarshal(raw, &n); err != nil || n < 1 {
		return 0, fmt.Errorf("want an integer of at least 1, not %s", raw)
	}
	return n, nil
}

// parseTime reads a duration, also one in milliseconds as pb.jobs takes them.
func parseTime(raw json.RawMessage) (time.Duration, error) {
	var d pb.Duration
	if err := json.Unmarshal(raw, &d); err != nil {
		return 0, err
	}
	if d == 0 {
		return 0, fmt.Errorf("want a positive duration such as \"500ms\", \"30s\" or \"5m\", not %s", raw)
	}
	return time.Duration(d), nil
}
