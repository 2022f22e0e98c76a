package pb

import "github.com/agentrt/agentrt/quickjs"

// Register adds all operations of this package.
func Register(_ *quickjs.Ops) {}
