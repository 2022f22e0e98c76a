// Package browser drives a headless Chromium for tests, through the DevTools protocol
// (https://chromedevtools.github.io/devtools-protocol/) over a pipe.
package browser

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// Environment names the variable with the path of Chromium. Without it, a test
// that finds none on the PATH is skipped.
const Environment = "AGENTRT_CHROMIUM"

// patience is how long Wait waits, far longer than anything should take.
const patience = 60 * time.Second

// Page is a tab. Its methods end the test on failure.
type Page struct {
	t       *testing.T
	session string
	errors  []string // of the page's console

	mu      sync.Mutex
	out     *os.File
	last    int
	waiting map[int]chan message
	ended   chan struct{}
}

type message struct {
	ID     int             `json:"id,omitempty"`
	Method string          `json:"method,omitempty"`
	Params json.RawMessage `json:"params,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
	Session string `json:"sessionId,omitempty"`
}

func find(t *testing.T) string {
	if path := os.Getenv(Environment); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("there is no Chromium; set " + Environment + " to its path, or install the package chromium")
	return ""
}

// Start starts a browser with one empty tab, which ends with the test.
func Start(t *testing.T) *Page {
	t.Helper()
	cmd := exec.Command(find(t), "--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--user-data-dir="+t.TempDir(), "--disable-gpu",
		"--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--window-size=1400,1000")
	read, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	theirIn, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting Chromium: %v", err)
	}
	theirIn.Close()
	theirOut.Close()
	p := &Page{t: t, out: write, waiting: map[int]chan message{}, ended: make(chan struct{})}
	go p.read(read)
	t.Cleanup(func() {
		p.call("Browser.close", nil, nil)
		write.Close()
		<-p.ended
		_ = cmd.Wait() // it may say that it was closed
		read.Close()
	})
	var target struct{ TargetID string }
	p.must("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	p.must("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	p.session = attached.SessionID
	p.must("Page.enable", nil, nil)
	p.must("Runtime.enable", nil, nil)
	return p
}

func (p *Page) read(in *os.File) {
	defer close(p.ended)
	r := bufio.NewReader(in)
	for {
		text, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if json.Unmarshal(text[:len(text)-1], &m) != nil {
			continue
		}
		p.mu.Lock()
		if m.Method == "Runtime.exceptionThrown" {
			p.errors = append(p.errors, string(m.Params))
		}
		if c := p.waiting[m.ID]; m.ID != 0 && c != nil {
			delete(p.waiting, m.ID)
			c <- m
		}
		p.mu.Unlock()
	}
}

func (p *Page) call(method string, params, result any) error {
	p.mu.Lock()
	p.last++
	c := make(chan message, 1)
	p.waiting[p.last] = c
	text, err := json.Marshal(map[string]any{"id": p.last, "method": method, "params": params, "sessionId": p.session})
	if p.session == "" || strings.HasPrefix(method, "Browser.") {
		text, err = json.Marshal(map[string]any{"id": p.last, "method": method, "params": params})
	}
	if err == nil {
		_, err = p.out.Write(append(text, 0))
	}
	p.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case m := <-c:
		if m.Error != nil {
			return fmt.Errorf("%s: %s", method, m.Error.Message)
		}
		if result != nil {
			return json.Unmarshal(m.Result, result)
		}
		return nil
	case <-p.ended:
		return fmt.Errorf("%s: Chromium has ended", method)
	case <-time.After(patience):
		return fmt.Errorf("%s: no answer in %v", method, patience)
	}
}

func (p *Page) must(method string, params, result any) {
	p.t.Helper()
	if err := p.call(method, params, result); err != nil {
		p.t.Fatal(err)
	}
}

// Open goes to url.
func (p *Page) Open(url string) {
	p.t.Helper()
	p.must("Page.navigate", map[string]any{"url": url}, nil)
}

// Eval returns the JSON of what an expression gives, promises awaited.
func (p *Page) Eval(expression string) string {
	p.t.Helper()
	text, err := p.eval(expression)
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return text
}

func (p *Page) eval(expression string) (string, error) {
	var got struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct{ Exception struct{ Description string } }
	}
	err := p.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &got)
	if err == nil && got.ExceptionDetails != nil {
		err = fmt.Errorf("%s", got.ExceptionDetails.Exception.Description)
	}
	return string(got.Result.Value), err
}

// Wait waits until a condition is true.
func (p *Page) Wait(condition string) {
	p.t.Helper()
	var err error
	for start := time.Now(); time.Since(start) < patience; time.Sleep(50 * time.Millisecond) {
		var got string
		if got, err = p.eval("!!(" + condition + ")"); got == "true" {
			return
		}
	}
	p.t.Fatalf("%s did not come true: %v; errors of the page: %q\nit shows: %s", condition, err, p.Errors(), p.Eval("document.body.innerText.slice(0, 4000)"))
}

// Click clicks in the middle of what an expression gives, an element, once there is
// one that can be seen.
func (p *Page) Click(element string) {
	p.t.Helper()
	p.Wait("(" + element + ")?.getBoundingClientRect().width")
	var at [2]float64
	where := p.Eval("(() => { const e = " + element + "; e.scrollIntoView({ block: 'center', behavior: 'instant' }); const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()")
	if err := json.Unmarshal([]byte(where), &at); err != nil {
		p.t.Fatalf("the place of %s: %v", element, err)
	}
	for _, kind := range []string{"mouseMoved", "mousePressed", "mouseReleased"} {
		p.must("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": at[0], "y": at[1], "button": "left", "clickCount": 1}, nil)
	}
}

// Fill types text into an input field in place of what it has.
func (p *Page) Fill(element, text string) {
	p.t.Helper()
	p.Click(element)
	p.Eval("(" + element + ").select()")
	p.must("Input.insertText", map[string]any{"text": text}, nil)
}

// Screenshot returns a PNG of the page.
func (p *Page) Screenshot() []byte {
	p.t.Helper()
	var got struct{ Data []byte }
	p.must("Page.captureScreenshot", map[string]any{"format": "png"}, &got)
	return got.Data
}

// Errors are the exceptions that nothing on the page caught.
func (p *Page) Errors() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.errors...)
}
