package pb

import "github.com/agentrt/agentrt/quickjs"

// Register adds all operations of this package.
func Register(ops *quickjs.Ops) {
	RegisterCollection(ops)
	RegisterDB(ops)
	RegisterEmbed(ops)
	RegisterExtract(ops)
	RegisterFiles(ops)
	RegisterJobs(ops)
	RegisterKV(ops)
	RegisterSecrets(ops)
	RegisterTx(ops)
}
