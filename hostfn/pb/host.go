package pb

import (
	"context"
	"reflect"

	"github.com/agentrt/agentrt/hostfn/hostmodule"
	"github.com/agentrt/agentrt/quickjs"
)

type hostModule struct {
	Name      string         `json:"name"`
	Functions []hostFunction `json:"functions"`
}

type hostFunction struct {
	Name  string `json:"name"`
	Async bool   `json:"async"`
	// Bytes says that the request is bytes alone.
	Bytes bool `json:"bytes"`
}

// RegisterHost adds the functions of modules, and what tells JavaScript about them.
//
//	pb.host.modules sync - -> [{name, functions: [{name, async, bytes}]}]
func RegisterHost(ops *quickjs.Ops, modules []*hostmodule.Module) error {
	described := make([]hostModule, len(modules))
	for k, m := range modules {
		described[k].Name = m.Name
		for _, f := range m.Functions {
			described[k].Functions = append(described[k].Functions, hostFunction{f.Name, f.Async, f.Request == reflect.TypeFor[[]byte]()})
		}
	}
	quickjs.Sync(ops, "pb.host.modules", func(context.Context, quickjs.None) ([]hostModule, error) { return described, nil })
	return hostmodule.Register(ops, modules)
}
