package hostfn

import "github.com/agentrt/agentrt/quickjs"

// RegisterEncoding adds the encodings of https://encoding.spec.whatwg.org/ other than
// UTF-8, UTF-16 and windows-1252, behind polyfill/encoding.ts.
//
//	encoding.label   head: label in lower case                  -> name of the encoding, "" if none
//	encoding.legacy  head: {encoding, fatal, more, mode}, bytes -> {text, keep, mode}
//
// legacy decodes; keep bytes at the end come first in the next call, which gets the
// mode. Sizes are bounded by the memory of the instance.
func RegisterEncoding(ops *quickjs.Ops) {
	quickjs.Sync(ops, "encoding.label", label)
	quickjs.Sync(ops, "encoding.legacy", decodeLegacy)
}
