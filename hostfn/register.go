package hostfn

import "github.com/agentrt/agentrt/quickjs"

// Register adds all operations of this package.
func Register(ops *quickjs.Ops) {
	RegisterBody(ops)
	RegisterCompression(ops)
	RegisterCrypto(ops)
	RegisterEncoding(ops)
	RegisterFetch(ops)
	RegisterIntl(ops)
	RegisterURL(ops)
	RegisterWebCrypto(ops)
	RegisterWebSocket(ops)
}
