package agentrt

import (
	"os"
	"path/filepath"
	"time"

	"github.com/agentrt/agentrt/agentrt/jobs"
	"github.com/agentrt/agentrt/agentrt/pool"
	"github.com/agentrt/agentrt/agentrt/triggers"
	"github.com/agentrt/agentrt/hostfn/hostmodule"
	"github.com/agentrt/agentrt/quickjs"
	"github.com/agentrt/agentrt/vector/embed"
)

// Prefix is the path below which HTTP routes answer.
const Prefix = "/api/pb_serverless"

// Config configures an Engine. Zero fields have the defaults named here.
type Config struct {
	// FunctionsDir holds src/routes and so on, or a built dist folder; it is
	// "pb_serverless" by default. A missing folder means that nothing is loaded
	// until a deployment arrives.
	FunctionsDir string
	// CacheDir keeps compiled code and bundles, at most some 100 MB; it is the
	// folder ".agentrt" in PocketBase's data directory by default. Nothing that
	// was derived from the environment goes there.
	CacheDir string
	// Preload is the sandbox's machine code, if it is being loaded already (see
	// [Preload]).
	Preload *quickjs.Preload
	// Env is added to what <FunctionsDir>/.env gives to process.env; it wins.
	Env map[string]string
	// SecretsKey encrypts what pb.secrets keeps: 32 bytes in hexadecimal or base64,
	// or a passphrase of at least 16 bytes; the environment variable
	// AGENTRT_SECRETS_KEY by default. Without it there can be no secrets.
	SecretsKey string
	// AllowNet are egress rules ("10.0.0.5:8080", "*.internal", "10.0.0.0/8") for
	// addresses that are private and denied by default.
	AllowNet []string
	// DenyNet are egress rules for hosts that functions must not reach.
	DenyNet []string
	// HostModules are Go functions of this program for functions to call, as
	// pb.host.<module>.<function>.
	HostModules []*hostmodule.Module
	// Embed says which embedding models there are; by default what the environment
	// variable AGENTRT_EMBED_CONFIG has, in JSON, and what [embed.Registry] describes.
	// Its servers are under the egress rules above.
	Embed embed.Config
	// Watch loads the functions again when their files change, and keeps the
	// declarations in their folder "types" up to date (see Engine.WriteTypes).
	Watch bool
	// Dev shows stacks in responses. It is on if PocketBase runs with --dev.
	Dev bool

	// MemoryLimit bounds an instance in bytes, 128 MiB by default.
	MemoryLimit uint32
	// CPULimit bounds the time JavaScript may run in one invocation, waiting
	// excluded; 10 s by default.
	CPULimit time.Duration
	// MaxInstances bounds the invocations at a time; by default it follows from
	// the available memory, up to 10,000 (see [pool.DefaultLimit]).
	MaxInstances int
	// MaxQueue invocations wait at most QueueTimeout for a place, then they get
	// 503 with Retry-After; 1,000 and 10 s by default.
	MaxQueue     int
	QueueTimeout time.Duration
	// Pool says how many idle instances are kept.
	Pool pool.Config
	// HTTP has the limits of requests and streams.
	HTTP triggers.HTTPConfig
	// Jobs has the limits of pb.jobs; its Logger and Redact are set by the engine.
	Jobs jobs.Config
	// ShutdownTimeout is how long streams may go on when the server stops, 10 s
	// by default.
	ShutdownTimeout time.Duration
}

// Preload begins to load the machine code for an engine with config, of an app with
// dataDir, before there is either: a server starts sooner. Set it as Config.Preload.
func Preload(dataDir string, config Config) *quickjs.Preload {
	return quickjs.NewPreload(config.withDefaults(dataDir).sandbox())
}

// sandbox is the part of the configuration that machine code depends on.
func (c Config) sandbox() quickjs.Config {
	return quickjs.NewConfig().WithCacheDir(filepath.Join(c.CacheDir, "engine")).WithMemoryLimit(c.MemoryLimit)
}

func (c Config) withDefaults(dataDir string) Config {
	setDefault(&c.FunctionsDir, "pb_serverless")
	setDefault(&c.SecretsKey, os.Getenv("AGENTRT_SECRETS_KEY"))
	setDefault(&c.CacheDir, filepath.Join(dataDir, ".agentrt"))
	setDefault(&c.MaxInstances, pool.DefaultLimit())
	setDefault(&c.MaxQueue, 1000)
	setDefault(&c.QueueTimeout, 10*time.Second)
	setDefault(&c.MemoryLimit, 128<<20)
	setDefault(&c.ShutdownTimeout, 10*time.Second)
	http := triggers.DefaultHTTPConfig(Prefix)
	http.Dev = c.Dev || c.HTTP.Dev
	setDefault(&c.HTTP.Timeout, http.Timeout)
	setDefault(&c.HTTP.MaxBody, http.MaxBody)
	setDefault(&c.HTTP.StreamIdle, http.StreamIdle)
	setDefault(&c.HTTP.MaxStream, http.MaxStream)
	setDefault(&c.HTTP.Heartbeat, http.Heartbeat)
	setDefault(&c.HTTP.WriteTimeout, http.WriteTimeout)
	setDefault(&c.HTTP.Background, http.Background)
	c.HTTP.Prefix, c.HTTP.Dev = http.Prefix, http.Dev
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
