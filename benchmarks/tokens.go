package benchmarks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/agentrt/agentrt/compat/modelserver"
	"github.com/agentrt/agentrt/stream"
)

// workload is one handler source that agentrt and its peers run.
type workload struct {
	name    string
	streams int
	sdk     bool // needs npm packages
	timed   bool // its events carry the time at which the model sent them
}

var workloads = []workload{
	{name: "relay", streams: 50, timed: true},
	{name: "transform", streams: 50, timed: true},
	{name: "openai", streams: 50, sdk: true},
	{name: "aisdk", streams: 20, sdk: true},
}

// Models of the group: a long answer, the same for warming up, and one token.
const (
	manyTokens = "bench;tokens=200;delay=20ms"
	fewTokens  = "bench;tokens=20;delay=20ms"
	oneToken   = "bench;tokens=1;delay=0s"
)

// tokens measures the CPU time per streamed token of whole server processes that
// run the same handler sources, one process at a time, in alternating rounds.
func tokens(ctx context.Context, o options, progress io.Writer) (figures map[string]float64, err error) {
	dir, err := os.MkdirTemp("", "agentrt-bench-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	model := httptest.NewServer(modelserver.New(modelserver.Config{Timestamps: true}))
	defer model.Close()
	names, err := json.Marshal([]string{manyTokens, fewTokens, oneToken})
	if err != nil {
		return nil, err
	}
	project, err := newPeerProject(ctx, filepath.Join(dir, "project"), []string{"MODEL=" + model.URL, "MODELS=" + string(names)}, progress)
	if err != nil {
		return nil, err
	}
	b := newTokenBench(o, progress)
	b.project = project
	defer b.client.CloseIdleConnections()
	defer func() {
		for _, p := range b.peers {
			if err != nil {
				err = p.failed(err)
			} else {
				err = p.stop()
			}
		}
	}()
	for _, name := range append([]string{"agentrt"}, o.against...) {
		p, err := project.start(ctx, name, progress)
		if errors.Is(err, exec.ErrNotFound) {
			fmt.Fprintf(progress, "%s is not on this machine: left out\n", name)
			continue
		}
		if err != nil {
			return nil, err
		}
		b.peers = append(b.peers, p)
	}
	if err := b.run(ctx); err != nil {
		return nil, err
	}
	return b.figures, nil
}

type tokenBench struct {
	options  options
	progress io.Writer
	project  *peerProject
	peers    []*peer
	client   *http.Client
	figures  map[string]float64
	spent    map[string]spent // by workload and peer
}

func newTokenBench(o options, progress io.Writer) *tokenBench {
	return &tokenBench{
		options:  o,
		progress: progress,
		client:   &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}},
		figures:  map[string]float64{},
		spent:    map[string]spent{},
	}
}

// spent is what streams took from a server, and what their clients saw.
type spent struct {
	cpu    time.Duration
	tokens int
	late   []time.Duration
	first  []time.Duration
	text   string // of one stream
}

func (b *tokenBench) run(ctx context.Context) error {
	rounds := 3
	if b.options.quick {
		rounds = 1
	}
	for _, w := range workloads {
		if w.sdk && !b.project.npm {
			continue
		}
		var able []*peer
		for _, p := range b.peers {
			if p.name != "go" || w.name == "relay" {
				able = append(able, p)
			}
		}
		for _, p := range able {
			if _, err := b.round(ctx, w, p, fewTokens); err != nil {
				return fmt.Errorf("%s on %s: %w", w.name, p.name, err)
			}
		}
		for round := range rounds {
			for _, p := range able {
				fmt.Fprintf(b.progress, "%s on %s: %d streams, round %d of %d\n", w.name, p.name, w.streams, round+1, rounds)
				got, err := b.round(ctx, w, p, manyTokens)
				if err != nil {
					return fmt.Errorf("%s on %s: %w", w.name, p.name, err)
				}
				key := w.name + " " + p.name
				sum := b.spent[key]
				sum.cpu, sum.tokens = sum.cpu+got.cpu, sum.tokens+got.tokens
				sum.late, sum.first = append(sum.late, got.late...), append(sum.first, got.first...)
				b.spent[key] = sum
			}
		}
		b.report(w, able)
		if w.name == "aisdk" {
			if err := b.oneToken(ctx, w, able); err != nil {
				return err
			}
		}
	}
	return nil
}

// report turns what a workload took into figures: agentrt's own under the bare
// name, those of others with theirs.
func (b *tokenBench) report(w workload, able []*peer) {
	own := b.spent[w.name+" agentrt"].perToken()
	for _, p := range able {
		s, name := b.spent[w.name+" "+p.name], w.name
		if p.name != "agentrt" {
			name += "_" + p.name
			b.figures[w.name+"_vs_"+p.name] = own / s.perToken()
		}
		b.figures[name+"_us_per_token"] = s.perToken()
		slices.Sort(s.first)
		b.figures[name+"_first_event_p50_ms"] = milliseconds(s.first[len(s.first)/2])
		if w.timed {
			slices.Sort(s.late)
			for _, q := range []int{50, 95, 99} {
				b.figures[fmt.Sprintf("%s_delay_p%d_ms", name, q)] = milliseconds(s.late[len(s.late)*q/100])
			}
		}
	}
}

func (s spent) perToken() float64 { return microseconds(s.cpu) / float64(s.tokens) }

// round runs the workload's streams at once and returns what the server spent.
func (b *tokenBench) round(ctx context.Context, w workload, p *peer, model string) (spent, error) {
	before, err := p.cpu()
	if err != nil {
		return spent{}, err
	}
	idle, err := idleTime()
	if err != nil {
		return spent{}, err
	}
	start := time.Now()
	all, errs := make([]spent, w.streams), make([]error, w.streams)
	var work sync.WaitGroup
	for k := range w.streams {
		work.Go(func() {
			time.Sleep(time.Duration(k) * 20 * time.Millisecond / time.Duration(w.streams))
			all[k], errs[k] = b.stream(ctx, w, p, model)
		})
	}
	work.Wait()
	if err := errors.Join(errs...); err != nil {
		return spent{}, err
	}
	after, err := p.cpu()
	if err != nil {
		return spent{}, err
	}
	idleAfter, err := idleTime()
	if err != nil {
		return spent{}, err
	}
	if free := float64(idleAfter-idle) / float64(time.Since(start)); free < 0.1 && model == manyTokens {
		fmt.Fprintf(b.progress, "INVALID: the machine was busy in this round (%.0f %% of one core was free): %s on %s\n", 100*free, w.name, p.name)
		b.figures["invalid_rounds"]++
	}
	sum := spent{cpu: after - before}
	for _, s := range all {
		sum.tokens += s.tokens
		sum.late, sum.first = append(sum.late, s.late...), append(sum.first, s.first...)
	}
	return sum, nil
}

// stream reads one stream and counts the tokens that arrived; all must.
func (b *tokenBench) stream(ctx context.Context, w workload, p *peer, model string) (s spent, err error) {
	body := `{"model":"` + model + `","stream":true,"messages":[{"role":"user","content":"count"}]}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+w.name, strings.NewReader(body))
	if err != nil {
		return s, err
	}
	req.Header.Set("Content-Type", "application/json")
	start := time.Now()
	res, err := b.client.Do(req)
	if err != nil {
		return s, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 1000))
		return s, fmt.Errorf("%s: %s", res.Status, text)
	}
	events := stream.NewEventReader(res.Body, stream.EventReaderConfig{})
	for {
		received, err := events.Next()
		data := received.Data
		if err != nil {
			return s, fmt.Errorf("the stream ended after %d tokens: %w", s.tokens, err)
		}
		if s.first == nil {
			s.first = []time.Duration{time.Since(start)}
		}
		if data == "[DONE]" {
			break
		}
		var event struct {
			Text, Type, Delta string
			Choices           []struct{ Delta struct{ Content string } }
			SentNS            int64 `json:"sent_ns"`
		}
		if err := json.Unmarshal([]byte(data), &event); err != nil {
			return s, fmt.Errorf("event %q: %w", data, err)
		}
		relayed := len(event.Choices) > 0 && event.Choices[0].Delta.Content != ""
		switch {
		case relayed:
			s.text += event.Choices[0].Delta.Content
		case event.Text != "" || event.Delta != "":
			s.text += event.Text + event.Delta
		default:
			continue
		}
		s.tokens++
		if w.timed {
			s.late = append(s.late, time.Since(time.Unix(0, event.SentNS)))
		}
	}
	var want int
	if _, err := fmt.Sscanf(model, "bench;tokens=%d", &want); err != nil || s.tokens != want {
		return s, fmt.Errorf("%d tokens arrived of %d", s.tokens, want)
	}
	return s, nil
}

// oneToken measures the CPU time of whole requests with one token, one at a time.
func (b *tokenBench) oneToken(ctx context.Context, w workload, able []*peer) error {
	n := 200
	if b.options.quick {
		n = 40
	}
	for _, p := range able {
		fmt.Fprintf(b.progress, "%s on %s: %d requests of one token\n", w.name, p.name, n)
		before, err := p.cpu()
		if err != nil {
			return err
		}
		for range n {
			if _, err := b.stream(ctx, w, p, oneToken); err != nil {
				return fmt.Errorf("%s on %s: %w", w.name, p.name, err)
			}
		}
		after, err := p.cpu()
		if err != nil {
			return err
		}
		name := w.name
		if p.name != "agentrt" {
			name += "_" + p.name
		}
		b.figures[name+"_one_token_ms"] = milliseconds(after-before) / float64(n)
	}
	return nil
}

// idleTime is how long the machine's cores have been idle, all together.
func idleTime() (time.Duration, error) {
	text, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return 0, err
	}
	var up, idle float64
	if _, err := fmt.Sscan(string(text), &up, &idle); err != nil {
		return 0, fmt.Errorf("/proc/uptime: %w", err)
	}
	return time.Duration(idle * float64(time.Second)), nil
}
