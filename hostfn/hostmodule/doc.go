// Package hostmodule lets a Go program that embeds agentrt give functions of its
// own to JavaScript:
//
//	greeter := hostmodule.New("greeter", "Greets people.")
//	hostmodule.Async(greeter, "greet", func(ctx context.Context, who Person) (Greeting, error) { … })
//	engine, err := agentrt.Register(app, agentrt.Config{HostModules: []*hostmodule.Module{greeter}})
//
// is pb.host.greeter.greet({ name: "Ada" }) in a function, and `agentrt types`
// writes its declaration from the Go types.
package hostmodule
