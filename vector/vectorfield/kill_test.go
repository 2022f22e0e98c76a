package vectorfield_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/vector"
	"github.com/agentrt/agentrt/vector/sqlitevec"
	"github.com/agentrt/agentrt/vector/vectorfield"
	"github.com/pocketbase/pocketbase/core"
)

const killDir = "AGENTRT_TEST_VECTOR_KILL_DIR"

// killedVector is what the victim gives to the n-th record in a version.
func killedVector(id string, version int) []float32 {
	var seed uint64
	for _, c := range []byte(id) {
		seed = seed*31 + uint64(c)
	}
	return randomVector(rand.New(rand.NewPCG(seed, uint64(version))))
}

// TestVictim is the process that TestKill kills: it says what it has committed.
func TestVictim(t *testing.T) {
	dir := os.Getenv(killDir)
	if dir == "" {
		t.Skip("run by TestKill")
	}
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	vectors := vectorfield.Register(app, vectorfield.Config{Open: func(ctx context.Context, app core.App) (vector.Store, error) {
		store, err := sqlitevec.New(ctx, app, sqlitevec.Options{IndexFrom: 200})
		if err == nil {
			err = store.Load(ctx) // as a server does
		}
		return store, err
	}})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	c, err := app.FindCollectionByNameOrId("owned")
	if err != nil {
		t.Fatal(err)
	}
	places, err := vectors.Places(app, "owned")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			if err := vectors.Reindex(context.Background(), app, places[0], func(done, total int) { fmt.Println("\nrebuilding") }); err != nil {
				fmt.Println("\nrebuild failed:", err)
			}
		}
	}()
	prefix := fmt.Sprintf("p%06d", os.Getpid())
	var ids []string
	for n := 0; ; n++ {
		id := fmt.Sprintf("%s%08d", prefix, n)
		version := 0
		record := core.NewRecord(c)
		if n%3 == 2 {
			id, version = ids[n%len(ids)], n
			if record, err = app.FindRecordById(c, id); err != nil {
				t.Fatal(err)
			}
		} else {
			record.Set("id", id)
			ids = append(ids, id)
		}
		record.Set("title", fmt.Sprintf("word%d", n%7))
		record.Set("embedding", killedVector(id, version))
		fmt.Printf("\nasked %s %d\n", id, version)
		if err := app.Save(record); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("\ncommitted %s %d\n", id, version)
	}
}

// TestKill kills a process with SIGKILL that writes records and rebuilds the index:
// all that was committed is there afterwards, and records, vectors and indexes agree.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	dir := t.TempDir()
	first := open(t, dir, 200)
	c, _ := first.owned()
	first.bulk(c, "", 3000)
	first.close()
	committed, asked := map[string]int{}, map[string]int{}
	for round := range 3 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$", "-test.v")
		cmd.Env = append(os.Environ(), killDir+"="+dir)
		out, err := cmd.StdoutPipe()
		first.must(err)
		first.must(cmd.Start())
		writes, rebuilding, killed := 0, 0, false
		var rest []string
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var id string
			var version int
			switch text := lines.Text(); {
			case text == "rebuilding":
				rebuilding++
			case strings.HasPrefix(text, "asked "):
				if _, err := fmt.Sscanf(text, "asked %s %d", &id, &version); err == nil {
					asked[id] = version
				}
			case strings.HasPrefix(text, "committed "):
				if _, err := fmt.Sscanf(text, "committed %s %d", &id, &version); err == nil {
					committed[id] = version
					writes++
				}
			default:
				rest = append(rest, text)
			}
			// In the middle of a write, and of a rebuild: another place each round.
			if !killed && writes >= 60 && rebuilding >= 2+round {
				first.must(cmd.Process.Kill())
				killed = true
			}
		}
		_ = cmd.Wait()
		if !killed {
			t.Fatalf("the victim ended by itself: %q", rest)
		}
		e := open(t, dir, 200)
		e.agree()
		for id, version := range committed {
			r, err := e.FindRecordById("owned", id)
			e.must(err)
			got := e.stored(r)
			if !slices.Equal(got, killedVector(id, version)) && !slices.Equal(got, killedVector(id, asked[id])) {
				t.Errorf("round %d: %s does not have what was committed", round, id)
			}
		}
		places, err := e.vectors.Places(e, "owned")
		e.must(err)
		e.must(e.vectors.Reindex(t.Context(), e, places[0], nil))
		e.agree()
		e.close()
	}
	t.Logf("%d records were committed in 3 lives", len(committed))
}
