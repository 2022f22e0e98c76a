package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// wait returns the first match of pattern in the output.
func (o *output) wait(t *testing.T, pattern string, limit time.Duration) []string {
	t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(o.String()); m != nil {
			return m
		}
	}
	t.Fatalf("the output lacks %s:\n%s", pattern, o.String())
	return nil
}

func startDemo(t *testing.T, npm bool) (url string, out *output) {
	t.Helper()
	t.Setenv("OPENAI_API_KEY", "")
	ctx, stop := context.WithCancel(context.Background())
	out = &output{}
	done := make(chan error, 1)
	go func() { done <- demo(ctx, "127.0.0.1:0", npm, out) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return out.wait(t, `agentrt demo at (http://\S+)`, time.Minute)[1], out
}

// chat returns the answer and the number of reads it came in.
func chat(t *testing.T, url string) (answer string, reads int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/api/pb_serverless/chat",
		strings.NewReader(`{"messages":[{"role":"user","content":"What is 6 times 7?"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	buf := make([]byte, 4096)
	for {
		n, err := res.Body.Read(buf)
		answer += string(buf[:n])
		if n > 0 {
			reads++
		}
		if err == io.EOF {
			return answer, reads
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestDemo(t *testing.T) {
	url, _ := startDemo(t, false)
	answer, reads := chat(t, url)
	if !strings.Contains(answer, "42") || reads < 2 {
		t.Errorf("%d reads: %q", reads, answer)
	}
	res, err := http.Get(url + "/api/pb_serverless/hello?name=you")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); !strings.Contains(string(text), "Hello, you!") {
		t.Errorf("hello: %s", text)
	}
}

func TestDemoWithSDK(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: installs npm packages")
	}
	url, out := startDemo(t, true)
	out.wait(t, `The AI SDK is installed`, 3*time.Minute)
	if answer, reads := chat(t, url); !strings.Contains(answer, "42") || reads < 2 {
		t.Errorf("%d reads: %q", reads, answer)
	}
}

// TestDemoRAG asks as the introduction shows.
func TestDemoRAG(t *testing.T) {
	url, out := startDemo(t, false)
	if !strings.Contains(out.String(), demoPassword) {
		t.Errorf("the introduction lacks the password:\n%s", out)
	}
	post := func(path, token, body string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for user, want := range map[string]string{"ann": "28", "bob": "33"} {
		var auth struct{ Token string }
		if err := json.Unmarshal([]byte(post("/api/collections/users/auth-with-password", "", `{"identity":"`+user+`@example.com","password":"`+demoPassword+`"}`)), &auth); err != nil {
			t.Fatal(err)
		}
		var answer string
		for end := time.Now().Add(time.Minute); time.Now().Before(end) && !strings.Contains(answer, "event: token"); time.Sleep(50 * time.Millisecond) {
			answer = post("/api/pb_serverless/rag/chat", auth.Token, `{"messages":[{"role":"user","content":"How many days of vacation are there?"}]}`)
			if strings.Contains(answer, "I found nothing") { // not embedded yet
				answer = ""
			}
		}
		if !strings.Contains(answer, want) || !strings.Contains(answer, "event: done\ndata: [{") {
			t.Errorf("%s gets %s", user, answer)
		}
	}
}
