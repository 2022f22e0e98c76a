package loader_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/agentrt/loader"
)

func TestReadEnv(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", `{}`},
		{"A=1\nB = two words  \n\n# C=3\n  export D=4\nexport\tE=5", `{"A":"1","B":"two words","D":"4","E":"5"}`},
		{"A=1 # comment\nB=a#b\nC=#x\nD=", `{"A":"1","B":"a#b","C":"","D":""}`},
		{`A="a b" # c` + "\nB='x # y'\nC=\"\"", `{"A":"a b","B":"x # y","C":""}`},
		{`A="1\n2\t\"q\" \\ \x"` + "\nB='1\\n2'", `{"A":"1\n2\t\"q\" \\ \\x","B":"1\\n2"}`},
		{"K=\"-----BEGIN\nabc=\n-----END\"\nB=2", `{"B":"2","K":"-----BEGIN\nabc=\n-----END"}`},
		{"\ufeffA=1\r\nB='2'\r\n", `{"A":"1","B":"2"}`},
		{"A=$B ${C}\nA.b_1=http://x?a=b", `{"A":"$B ${C}","A.b_1":"http://x?a=b"}`},
		{"A=1\nA=2", `{"A":"2"}`},
		{"export=1\nexports=2", `{"export":"1","exports":"2"}`},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, ".env"), c.text)
		vars, err := loader.ReadEnv(dir)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if got, _ := json.Marshal(vars); string(got) != c.want {
			t.Errorf("%q: got %s, want %s", c.text, got, c.want)
		}
	}
	if vars, err := loader.ReadEnv(t.TempDir()); err != nil || vars == nil || len(vars) != 0 {
		t.Errorf("no file: %v, %v", vars, err)
	}
}

func TestReadEnvErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"A=1\nsecret-value\n", "line 2: there is no ="},
		{"A='x\ny'\n1A=secret", "line 3: the text before = is no name"},
		{"secret value=1", "line 1: the text before = is no name"},
		{"A=\"secret\nB=1", "line 1: the closing quote is missing"},
		{"A='secret' secret", "line 1: there is text after the closing quote"},
		{"A=\xff", "not UTF-8"},
		{strings.Repeat("A=secret\n", 200_000), "at most 1048576 are allowed"},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, ".env"), c.text)
		_, err := loader.ReadEnv(dir)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.30q: got %v, want %s", c.text, err, c.want)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows a value: %v", err)
		}
	}
}
