package hostfn_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/agentrt/agentrt/hostfn"
	"github.com/agentrt/agentrt/internal/jstest"
	"github.com/agentrt/agentrt/quickjs"
	"github.com/agentrt/agentrt/stream"
)

const compressionSource = `
import { CompressionStream, DecompressionStream } from "./hostfn/compression.ts";
const through = async (stream, ...chunks) => {
  const writer = stream.writable.getWriter();
  (async () => { for (const c of chunks) await writer.write(c); await writer.close(); })().catch(() => {});
  const out = [];
  let largest = 0;
  for await (const c of stream.readable) { out.push(...c); largest = Math.max(largest, c.length); }
  return { bytes: Uint8Array.from(out), largest };
};
const failure = (p) => p.then(() => "none", (e) => e.name + ": " + e.message);
const gzip = (...chunks) => through(new CompressionStream("gzip"), ...chunks);
const gunzip = (...chunks) => through(new DecompressionStream("gzip"), ...chunks);
const decode = (text) => Uint8Array.fromBase64(text);
export const run = async ({ code, data }) => await (0, eval)("(async (c) => { const { CompressionStream, DecompressionStream, through, failure, gzip, gunzip, data } = c; return " + code + " })")(
  { CompressionStream, DecompressionStream, through, failure, gzip, gunzip, data: decode(data) });
`

func TestCompression(t *testing.T) {
	ops := quickjs.NewOps()
	hostfn.Register(ops)
	instance := jstest.Load(t, jstest.Env{Ops: ops}, jstest.Bundle(t, compressionSource))
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(make([]byte, 200_000)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	data := base64.StdEncoding.EncodeToString(packed.Bytes())
	// run gives each expression an invocation of its own.
	run := func(code string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		scope := &hostfn.Scope{Context: ctx, Streams: stream.NewTable(stream.Config{}), Limits: hostfn.Limits{MaxDecompressed: 1 << 20}}
		head, err := json.Marshal(map[string]string{"code": code, "data": data})
		if err != nil {
			t.Fatal(err)
		}
		r, err := instance.Call(hostfn.WithScope(ctx, scope), "main.js", "run", head, nil)
		if err != nil {
			return err.Error()
		}
		return string(r.Head)
	}
	for _, c := range [][2]string{
		{`(await gunzip((await gzip(new Uint8Array([1, 2]), new Uint8Array([3]))).bytes)).bytes.join()`, `"1,2,3"`},
		{`(await gunzip((await gzip()).bytes)).bytes.length`, `0`},
		{`gunzip(data).then((r) => [r.bytes.length, r.largest <= 65536])`, `[200000,true]`},
		{`gunzip(...Array.from(data, (b) => Uint8Array.of(b))).then((r) => r.bytes.length)`, `200000`},
		{`failure(gunzip(data.subarray(0, -1)))`, `"TypeError: the gzip data ends early"`},
		{`failure(gunzip())`, `"TypeError: the gzip data ends early"`},
		{`failure(gunzip(data, data))`, `"TypeError: bytes follow the end of the gzip data"`},
		{`failure(gunzip(data, new Uint8Array(0), Uint8Array.of(1)))`, `"TypeError: bytes follow the end of the gzip data"`},
		{`failure(gunzip(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)))`, `"TypeError: the gzip data cannot be decompressed: gzip: invalid header"`},
		{`gzip(new Uint8Array(2_000_000)).then((r) => failure(gunzip(r.bytes)))`, `"TypeError: the gzip data cannot be decompressed: it is longer than the limit of 1048576 bytes"`},
		{`(async () => { const open = []; for (let i = 0; i < 16; i++) { const d = new DecompressionStream("gzip"), r = d.readable.getReader(); r.read().catch(() => {}); open.push(r); await d.writable.getWriter().write(data.subarray(0, 5)) }
			const full = await failure(gunzip(data)); await open[0].cancel(); return [full, (await gunzip(data)).bytes.length] })()`,
			`["TypeError: more than 16 compression streams are open: read them to their end or cancel some first",200000]`},
	} {
		if got := run(c[0]); got != c[1] {
			t.Errorf("%s\n got %s\nwant %s", c[0], got, c[1])
		}
	}
}
