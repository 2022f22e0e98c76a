package quickjs

import (
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/google/pprof/profile"
)

// Profiler samples the JavaScript stacks of all running instances of an engine.
// A sample's value is the time that its instance ran since the sample before it.
type Profiler struct {
	engine *Engine
	period time.Duration
	start  time.Time

	mu        sync.Mutex
	stacks    map[string]*profile.Sample
	functions map[frame]*profile.Function
	locations map[frame]*profile.Location
	prof      *profile.Profile
}

type frame struct {
	name, file string
	line       int64
}

const (
	maxFrames    = 64
	sampleBuffer = 32 << 10
	redZone      = 256
)

// StartProfiler begins sampling with the given period (1 ms if 0; the fuel tick
// bounds it from below at some 100 us). One profiler can run at a time.
func (e *Engine) StartProfiler(period time.Duration) (*Profiler, error) {
	if period <= 0 {
		period = time.Millisecond
	}
	p := &Profiler{
		engine: e, period: period, start: time.Now(),
		stacks:    map[string]*profile.Sample{},
		functions: map[frame]*profile.Function{},
		locations: map[frame]*profile.Location{},
		prof: &profile.Profile{
			SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}},
			PeriodType: &profile.ValueType{Type: "cpu", Unit: "nanoseconds"},
			Period:     int64(period),
		},
	}
	if !e.profiler.CompareAndSwap(nil, p) {
		return nil, errors.New("quickjs: a profiler is running already")
	}
	return p, nil
}

// Stop ends sampling and writes the profile in pprof's format (gzipped protobuf).
func (p *Profiler) Stop(w io.Writer) error {
	p.engine.profiler.CompareAndSwap(p, nil)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.prof.TimeNanos = p.start.UnixNano()
	p.prof.DurationNanos = int64(time.Since(p.start))
	if err := p.prof.CheckValid(); err != nil {
		return err
	}
	return p.prof.Write(w)
}

// sample runs inside tick: the guest is in the middle of some C function, so the
// walk uses stack below its pointer and allocates nothing there.
func (p *Profiler) sample(i *Instance, spent time.Duration) {
	if i.sampleFn == nil {
		i.sampleFn = i.mod.ExportedFunction("sample")
	}
	sp := i.stackPointer.Get()
	if sp < 2*sampleBuffer {
		return
	}
	buf := sp - redZone - sampleBuffer
	i.stackPointer.Set(buf)
	stack := [3]uint64{buf, sampleBuffer, maxFrames}
	err := i.sampleFn.CallWithStack(&callContext{i.useCtx, i}, stack[:])
	i.stackPointer.Set(sp)
	if err != nil {
		return
	}
	data, ok := i.mod.Memory().Read(uint32(buf), min(uint32(stack[0]), sampleBuffer))
	if ok {
		p.add(data, spent)
	}
}

func (p *Profiler) add(data []byte, spent time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := string(data)
	s := p.stacks[key]
	if s == nil {
		s = &profile.Sample{Value: make([]int64, 2)}
		for f := range frames(data) {
			s.Location = append(s.Location, p.location(f))
		}
		if len(s.Location) == 0 {
			return
		}
		p.stacks[key] = s
		p.prof.Sample = append(p.prof.Sample, s)
	}
	s.Value[0]++
	s.Value[1] += int64(spent)
}

// frames decodes the records of build/bridge/sample.c.
func frames(data []byte) func(func(frame) bool) {
	return func(yield func(frame) bool) {
		for len(data) >= 8 {
			line := binary.LittleEndian.Uint32(data)
			n := int(binary.LittleEndian.Uint16(data[4:]))
			m := int(binary.LittleEndian.Uint16(data[6:]))
			if len(data) < 8+n+m {
				return
			}
			f := frame{string(data[8 : 8+n]), string(data[8+n : 8+n+m]), int64(line)}
			if f.name == "" {
				f.name = "(anonymous)"
			}
			if f.file == "" {
				f.file = "(native)"
			}
			if !yield(f) {
				return
			}
			data = data[8+n+m:]
		}
	}
}

func (p *Profiler) location(f frame) *profile.Location {
	if l := p.locations[f]; l != nil {
		return l
	}
	key := frame{name: f.name, file: f.file}
	fn := p.functions[key]
	if fn == nil {
		fn = &profile.Function{ID: uint64(len(p.functions) + 1), Name: f.name, SystemName: f.name, Filename: f.file}
		p.functions[key] = fn
		p.prof.Function = append(p.prof.Function, fn)
	}
	l := &profile.Location{ID: uint64(len(p.locations) + 1), Line: []profile.Line{{Function: fn, Line: f.line}}}
	p.locations[f] = l
	p.prof.Location = append(p.prof.Location, l)
	return l
}
