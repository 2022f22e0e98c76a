package benchmarks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/agentrt/agentrt/compat/modelserver"
)

const (
	soakClients = 12
	// soakModel answers within a second.
	soakModel = "bench;tokens=40;delay=20ms"
	soakUser  = "soak@example.com"
)

// sample is the state of a server at one time.
type sample struct {
	at         time.Duration
	mib        float64
	goroutines float64
	files      float64
}

// soak keeps one server under mixed load (trivial answers, JSON, fan-out, streams
// of every workload, clients that leave in the midst of a stream) and samples its
// memory, goroutines and file descriptors. Leaks show as growth from the second to
// the last quarter, and as what is left once the load has ended.
func soak(ctx context.Context, o options, progress io.Writer) (figures map[string]float64, err error) {
	dir, err := os.MkdirTemp("", "agentrt-bench-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	model := httptest.NewServer(modelserver.New(modelserver.Config{Timestamps: true}))
	defer model.Close()
	project, err := newPeerProject(ctx, filepath.Join(dir, "project"), []string{"MODEL=" + model.URL, `MODELS=["` + soakModel + `"]`}, progress)
	if err != nil {
		return nil, err
	}
	s := &soakBench{tokenBench: newTokenBench(o, progress), password: fmt.Sprintf("%x", rand.Uint64())}
	s.project = project
	defer s.client.CloseIdleConnections()
	if err := s.superuser(ctx); err != nil {
		return nil, err
	}
	if s.server, err = project.start(ctx, "agentrt", progress); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = s.server.failed(err)
		} else {
			err = s.server.stop()
		}
	}()
	if err := s.login(ctx); err != nil {
		return nil, err
	}
	length := o.length
	if o.quick {
		length = min(length, 20*time.Second)
	}
	if err := s.run(ctx, length); err != nil {
		return nil, err
	}
	return s.figures, nil
}

type soakBench struct {
	*tokenBench
	server   *peer
	password string
	token    string
	samples  []sample
	requests atomic.Int64
	streams  atomic.Int64
	left     atomic.Int64 // streams that the client left
}

func (s *soakBench) superuser(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	create := exec.CommandContext(ctx, self, "superuser", "upsert", soakUser, s.password, "--dir", "pb_data")
	create.Dir = s.project.dir
	if out, err := create.CombinedOutput(); err != nil {
		return fmt.Errorf("creating a superuser: %w\n%s", err, out)
	}
	return nil
}

func (s *soakBench) login(ctx context.Context) error {
	body := fmt.Sprintf(`{"identity":%q,"password":%q}`, soakUser, s.password)
	text, err := s.post(ctx, s.base()+"/api/collections/_superusers/auth-with-password", body)
	if err != nil {
		return err
	}
	var answer struct{ Token string }
	err = json.Unmarshal([]byte(text), &answer)
	s.token = answer.Token
	return err
}

func (s *soakBench) base() string { return strings.TrimSuffix(s.server.url, "/api/pb_serverless/") }

func (s *soakBench) run(ctx context.Context, length time.Duration) error {
	if err := s.once(ctx, 0); err != nil { // loads what is loaded once
		return err
	}
	before, err := s.sample(ctx, 0)
	if err != nil {
		return err
	}
	start := time.Now()
	loadCtx, end := context.WithTimeout(ctx, length)
	defer end()
	errs := make([]error, soakClients)
	var work sync.WaitGroup
	for k := range soakClients {
		work.Go(func() {
			for turn := k; loadCtx.Err() == nil && errs[k] == nil; turn++ {
				errs[k] = s.once(ctx, turn)
			}
			if errs[k] != nil {
				end()
			}
		})
	}
	every := max(length/100, time.Second)
	for ticker := time.Tick(every); loadCtx.Err() == nil; {
		select {
		case <-loadCtx.Done():
			continue
		case <-ticker:
		}
		now, err := s.sample(ctx, time.Since(start))
		if err != nil {
			return err
		}
		s.samples = append(s.samples, now)
		fmt.Fprintf(s.progress, "%s of %s: %d requests, %d streams, %d left early, %.0f MiB, %.0f goroutines, %.0f files\n",
			now.at.Round(time.Second), length, s.requests.Load(), s.streams.Load(), s.left.Load(), now.mib, now.goroutines, now.files)
	}
	work.Wait()
	if err := errors.Join(slices.DeleteFunc(errs, func(err error) bool { return err == nil })...); err != nil {
		return firstLine(err)
	}
	s.client.CloseIdleConnections()
	fmt.Fprintln(s.progress, "the load has ended; a few seconds to settle")
	select {
	case <-time.After(max(every, 5*time.Second)):
	case <-ctx.Done():
		return ctx.Err()
	}
	after, err := s.sample(ctx, time.Since(start))
	if err != nil {
		return err
	}
	return s.report(before, after)
}

func (s *soakBench) report(before, after sample) error {
	n := len(s.samples)
	if n < 8 {
		return fmt.Errorf("%d samples are too few, --for must be longer", n)
	}
	mean := func(part []sample, of func(sample) float64) (sum float64) {
		for _, x := range part {
			sum += of(x) / float64(len(part))
		}
		return sum
	}
	for name, of := range map[string]func(sample) float64{
		"memory_mib": func(x sample) float64 { return x.mib },
		"goroutines": func(x sample) float64 { return x.goroutines },
		"files":      func(x sample) float64 { return x.files },
	} {
		second, last := mean(s.samples[n/4:n/2], of), mean(s.samples[3*n/4:], of)
		s.figures["soak_"+name+"_second_quarter"], s.figures["soak_"+name+"_last_quarter"] = second, last
		s.figures["soak_"+name+"_before"], s.figures["soak_"+name+"_after"] = of(before), of(after)
	}
	s.figures["soak_s"] = after.at.Seconds()
	s.figures["soak_requests"] = float64(s.requests.Load())
	s.figures["soak_streams"] = float64(s.streams.Load())
	s.figures["soak_left_early"] = float64(s.left.Load())
	return nil
}

// once is one step of a client: every tenth stream is left in its midst.
func (s *soakBench) once(ctx context.Context, turn int) error {
	if turn%2 == 0 {
		load := requestLoads[turn/2%len(requestLoads)]
		s.requests.Add(1)
		if _, err := s.post(ctx, s.server.url+load.name, load.body()); err != nil {
			return fmt.Errorf("%s: %w", load.name, err)
		}
		return nil
	}
	w := workloads[turn/2%len(workloads)]
	if w.sdk && !s.project.npm {
		w = workloads[0]
	}
	s.streams.Add(1)
	if rand.IntN(10) > 0 {
		if _, err := s.stream(ctx, w, s.server, soakModel); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		return nil
	}
	s.left.Add(1)
	left, leave := context.WithTimeout(ctx, time.Duration(rand.IntN(600))*time.Millisecond)
	defer leave()
	if _, err := s.stream(left, w, s.server, soakModel); err != nil && left.Err() == nil {
		return fmt.Errorf("%s: %w", w.name, err)
	}
	return nil
}

func (s *soakBench) sample(ctx context.Context, at time.Duration) (sample, error) {
	kib, err := s.server.memory()
	if err != nil {
		return sample{}, err
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.server.cmd.Process.Pid))
	if err != nil {
		return sample{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base()+"/api/agentrt/status", nil)
	if err != nil {
		return sample{}, err
	}
	req.Header.Set("Authorization", s.token)
	res, err := s.client.Do(req)
	if err != nil {
		return sample{}, err
	}
	defer res.Body.Close()
	var status struct{ Goroutines float64 }
	if err := json.NewDecoder(res.Body).Decode(&status); err != nil || status.Goroutines == 0 {
		return sample{}, fmt.Errorf("status: %s: %w", res.Status, err)
	}
	return sample{at: at, mib: kib / 1024, goroutines: status.Goroutines, files: float64(len(files))}, nil
}
