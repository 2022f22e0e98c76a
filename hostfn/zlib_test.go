package hostfn_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"testing"

	"github.com/agentrt/agentrt/agentrt/security"
	"github.com/agentrt/agentrt/hostfn"
	"github.com/agentrt/agentrt/internal/jstest"
	"github.com/agentrt/agentrt/quickjs"
)

func TestNodeZlib(t *testing.T) {
	ops := quickjs.NewOps()
	hostfn.Register(ops)
	w := &world{t: t, transport: security.NewEgressPolicy().Transport(security.TransportConfig{})}
	t.Cleanup(w.transport.CloseIdleConnections)
	w.instance = jstest.Load(t, jstest.Env{Ops: ops, Platform: true}, jstest.Bundle(t, `
		import zlib, { gzipSync } from "node:zlib";
		import { promisify } from "node:util";
		import { pipeline } from "node:stream/promises";
		import { Readable } from "node:stream";
		Object.assign(globalThis, { zlib, gzipSync, promisify, pipeline, Readable });
		const error = (f) => { try { f(); return "did not throw" } catch (e) { return [e.name, e.code, e.message] } };
		globalThis.error = error;
	`+platformSource, jstest.NodePlugin()))
	w.invocation()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte("from Go"))
	z.Close()
	args := base64.StdEncoding.EncodeToString(b.Bytes())
	for _, c := range []struct{ code, want string }{
		{`zlib.gunzipSync(Buffer.from(args, "base64")).toString()`, `"from Go"`},
		{`["gzip", "deflate", "deflateRaw"].map((n) => { const f = { gzip: "gunzip", deflate: "inflate", deflateRaw: "inflateRaw" }[n]; return zlib[f + "Sync"](zlib[n + "Sync"]("héllo")).toString() })`, `["héllo","héllo","héllo"]`},
		{`[zlib.unzipSync(zlib.gzipSync("a")).toString(), zlib.unzipSync(zlib.deflateSync("b")).toString()]`, `["a","b"]`},
		{`(async () => { const g = await promisify(zlib.gzip)("x".repeat(100000), { level: 9 }); return [g.length < 1000, Buffer.isBuffer(g), (await promisify(zlib.gunzip)(g)).length] })()`, `[true,true,100000]`},
		{`(async () => { const o = []; await pipeline(Readable.from([Buffer.from("one "), Buffer.from("two")]), zlib.createGzip(), zlib.createGunzip(), async (s) => { for await (const c of s) o.push(c.toString()) }); return o.join("") })()`, `"one two"`},
		{`(async () => { try { await pipeline(Readable.from([Buffer.from("no gzip at all")]), zlib.createGunzip()) } catch (e) { return e.code } })()`, `"Z_DATA_ERROR"`},
		{`error(() => zlib.gunzipSync("no gzip at all")).slice(0, 2)`, `["Error","Z_DATA_ERROR"]`},
		{`error(() => zlib.gunzipSync(gzipSync("abc").subarray(0, 15)))`, `["Error","Z_BUF_ERROR","unexpected end of file"]`},
		{`new Promise((r) => zlib.gunzip("no gzip at all", (e) => r(e.code)))`, `"Z_DATA_ERROR"`},
		{`error(() => zlib.gunzipSync(gzipSync("x".repeat(1000)), { maxOutputLength: 999 })).slice(0, 2)`, `["RangeError","ERR_BUFFER_TOO_LARGE"]`},
		{`error(() => zlib.gzipSync("x", { level: 10 })).slice(0, 2)`, `["RangeError","ERR_OUT_OF_RANGE"]`},
		{`error(() => zlib.gzipSync(5)).slice(0, 2)`, `["TypeError","ERR_INVALID_ARG_TYPE"]`},
		{`error(() => zlib.brotliCompressSync("x")).slice(0, 2)`, `["Error","ERR_NOT_AVAILABLE"]`},
		{`[zlib.crc32("hello"), zlib.crc32("lo", zlib.crc32("hel")), zlib.codes.Z_DATA_ERROR, zlib.codes["-3"], zlib.constants.Z_BEST_SPEED]`, `[907060870,907060870,-3,"Z_DATA_ERROR",1]`},
		// Handles do not pile up.
		{`(() => { for (let i = 0; i < 100; i++) { error(() => zlib.gunzipSync("bad")); gzipSync("good") } return true })()`, `true`},
	} {
		w.expect(c.code, args, c.want)
	}
}
