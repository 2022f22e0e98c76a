package agentrt_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/compat/modelserver"
	"github.com/agentrt/agentrt/internal/apptest"
	"github.com/pocketbase/pocketbase/core"
	"go.uber.org/goleak"
)

// cacheDir is shared: only the first test compiles the engine.
var cacheDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "agentrt-test-*")
	if err != nil {
		panic(err)
	}
	cacheDir = dir
	code := m.Run()
	http.DefaultClient.CloseIdleConnections()
	if code == 0 {
		if err := goleak.Find(ignored...); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// ignored are goroutines of PocketBase that end only with the process.
var ignored = []goleak.Option{
	goleak.IgnoreAnyFunction("github.com/pocketbase/pocketbase/core.(*BaseApp).initLogger.func1"),
	goleak.IgnoreAnyFunction("database/sql.(*DB).connectionOpener"),
}

type app struct {
	*apptest.App
	t *testing.T
}

// newApp starts an app with the given files below pb_serverless/src.
func newApp(t *testing.T, files map[string]string, change ...func(*agentrt.Config)) *app {
	t.Helper()
	return newAppWith(t, files, nil, change...)
}

// newAppWith has setup change the app before it serves: PocketBase's logger reads
// the settings without a lock, so that they may not change while it writes.
func newAppWith(t *testing.T, files map[string]string, setup func(core.App) error, change ...func(*agentrt.Config)) *app {
	t.Helper()
	sources := map[string]string{}
	for name, text := range files {
		sources["src/"+name] = text
	}
	config := agentrt.Config{CacheDir: cacheDir}
	for _, f := range change {
		f(&config)
	}
	a, err := apptest.Start(t.TempDir(), sources, config, setup)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
	})
	return &app{a, t}
}

// newModel starts the model server and returns it with what lets functions use it.
func newModel(t *testing.T, config modelserver.Config) (*modelserver.Server, func(*agentrt.Config)) {
	t.Helper()
	m := modelserver.New(config)
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	return m, func(c *agentrt.Config) {
		c.AllowNet = append(c.AllowNet, strings.TrimPrefix(server.URL, "http://"))
		c.Env = map[string]string{"OPENAI_BASE_URL": server.URL + "/v1", "OPENAI_API_KEY": "test"}
	}
}

type reply struct {
	status int
	header http.Header
	body   string
}

func (a *app) do(method, path, body string, headers ...string) reply {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.Functions+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	if strings.HasPrefix(path, "/../") {
		req.URL.Path = agentrt.Prefix[:4] + strings.TrimPrefix(path, "/..")
	}
	for k := 0; k+1 < len(headers); k += 2 {
		req.Header.Set(headers[k], headers[k+1])
	}
	return a.send(req)
}

func (a *app) send(req *http.Request) reply {
	a.t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		a.t.Fatalf("%s %s: reading the body: %v", req.Method, req.URL.Path, err)
	}
	return reply{res.StatusCode, res.Header, string(text)}
}

func (a *app) get(path string, headers ...string) reply {
	a.t.Helper()
	return a.do(http.MethodGet, path, "", headers...)
}

// logs collects what the app logs from now on.
func (a *app) logs() *logBuffer {
	b := &logBuffer{}
	a.OnModelCreate(core.LogsTableName).BindFunc(func(e *core.ModelEvent) error {
		if l, ok := e.Model.(*core.Log); ok {
			b.add(fmt.Sprintf("%s %s %v", slog.Level(l.Level), l.Message, l.Data))
		}
		return e.Next()
	})
	return b
}

type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) add(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text.WriteString(line + "\n")
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
