package compat

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/agentrt/agentrt/compat/modelserver"
)

// models is one listener with a model server for each run, at /NUMBER.
type models struct {
	addr string
	http *http.Server
	done chan error

	mu   sync.Mutex
	runs []*modelserver.Server
}

func startModels() (*models, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &models{addr: listener.Addr().String(), done: make(chan error, 1)}
	m.http = &http.Server{Handler: m, ReadHeaderTimeout: 10 * time.Second}
	go func() { m.done <- m.http.Serve(listener) }()
	return m, nil
}

func (m *models) stop() error {
	err := m.http.Close()
	<-m.done
	return err
}

// add returns a new model server and its URL.
func (m *models) add() (server *modelserver.Server, url string) {
	server = modelserver.New(modelserver.Config{})
	m.mu.Lock()
	defer m.mu.Unlock()
	m.runs = append(m.runs, server)
	return server, "http://" + m.addr + "/" + strconv.Itoa(len(m.runs)-1)
}

func (m *models) find(number string) *modelserver.Server {
	n, err := strconv.Atoi(number)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil || n < 0 || n >= len(m.runs) {
		return nil
	}
	return m.runs[n]
}

// ServeHTTP implements http.Handler.
func (m *models) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	number, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	server := m.find(number)
	if server == nil {
		http.NotFound(w, r)
		return
	}
	http.StripPrefix("/"+number, server).ServeHTTP(w, r)
}

// settled returns the requests of a run once the last one has ended, or after 15 s.
func settled(ctx context.Context, server *modelserver.Server) []modelserver.Request {
	for range 600 {
		running := false
		requests := server.Requests()
		for _, r := range requests {
			running = running || r.Outcome == modelserver.OutcomeRunning
		}
		if !running || ctx.Err() != nil {
			return requests
		}
		time.Sleep(25 * time.Millisecond)
	}
	return server.Requests()
}
