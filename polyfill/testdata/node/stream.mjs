import Stream, { Readable, Writable, Transform, PassThrough, Duplex, pipeline, finished, addAbortSignal } from "node:stream";
import { pipeline as pipe, finished as done } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
const log = (...a) => console.log(JSON.stringify(a));
const events = (s, names, out) => names.forEach((n) => s.on(n, () => out.push(n)));
{ const out = []; const r = new Readable({ read() {} }); events(r, ["end", "close", "readable"], out); r.push("ab"); r.push("cd"); r.push(null); await sleep(1); log(String(r.read(3)), String(r.read()), r.read()); await sleep(1); log(out, r.destroyed, r.readableEnded); }
{ const chunks = []; const r = Readable.from(["a", "b", "c"]); for await (const c of r) chunks.push(c); log(chunks, r.destroyed); }
{ const out = []; let n = 0; const r = new Readable({ highWaterMark: 4, read() { n++; this.push(n < 4 ? "xyz" : null); } }); r.on("data", (c) => out.push(String(c))); await done(r); log(out, n); }
{ const out = []; const w = new Writable({ highWaterMark: 3, write(c, e, cb) { out.push(String(c)); setTimeout(cb, 1); } }); events(w, ["drain", "finish", "close"], out); log(w.write("ab"), w.write("cd"), w.writableLength); await new Promise((r) => w.end("e", r)); await sleep(2); log(out, w.writableFinished); }
{ const up = new Transform({ transform(c, e, cb) { cb(null, String(c).toUpperCase()); }, flush(cb) { this.push("!"); cb(); } }); const out = []; await pipe(Readable.from(["a", "b"]), up, new Writable({ write(c, e, cb) { out.push(String(c)); cb(); } })); log(out); }
{ const r = await pipe(["x", "y"], async function* (s) { for await (const c of s) yield c + c; }, async (s) => { let t = ""; for await (const c of s) t += c; return t; }); log(r); }
{ const src = new Readable({ read() {} }); const dst = new PassThrough(); const p = pipe(src, dst).catch((e) => e.message); src.destroy(new Error("bad source")); log(await p, dst.destroyed); }
{ const p = pipe(Readable.from(["a"]), new Writable({ write(c, e, cb) { cb(new Error("bad sink")); } })).catch((e) => e.message); log(await p); }
{ const s = new PassThrough(); const r = new Promise((res) => finished(s, (e) => res(e?.code))); s.destroy(); log(await r); }
{ const ac = new AbortController(); const s = addAbortSignal(ac.signal, new Readable({ read() {} })); ac.abort(); log(await done(s).catch((e) => [e.name, e.code])); }
{ const r = new Readable({ read() {} }); r.setEncoding("utf8"); r.push(Buffer.from([0xe2, 0x82])); r.push(Buffer.from([0xac])); r.push(null); const t = []; for await (const c of r) t.push(c); log(t); }
{ const r = new Readable({ read() {} }); r.push("abc"); r.push(null); await sleep(1); const c = r.read(2); r.unshift(Buffer.from("Z")); log(String(c), String(r.read())); }
{ const a = new PassThrough(), out = []; a.on("data", (c) => out.push(String(c))); a.pause(); a.write("1"); await sleep(1); log(out, a.isPaused()); a.resume(); a.end("2"); await done(a); log(out); }
{ const d = new Duplex({ read() { this.push("r"); this.push(null); }, write(c, e, cb) { cb(); } }); const out = []; events(d, ["end", "finish", "close"], out); d.resume(); d.end("w"); await sleep(3); log(out); }
{ const w = new Writable({ write(c, e, cb) { cb(); } }); w.on("error", (e) => log(e.code)); w.end(); w.write("x"); await sleep(1); }
{ const w = new Writable({ writev(cs, cb) { log(cs.map((c) => String(c.chunk))); cb(); } }); w.cork(); w.write("a"); w.write("b"); w.uncork(); w.end(); await done(w); }
{ const out = []; const t = new Transform({ objectMode: true, transform(c, e, cb) { this.push(c); this.push(c + 1); cb(); } }); Readable.from([1, 3]).pipe(t); for await (const c of t) out.push(c); log(out); }
{ const r = Readable.from(async function* () { yield 1; throw new Error("gen"); }()); try { for await (const c of r) log(c); } catch (e) { log(e.message, r.destroyed); } }
{ const r = Readable.from([1, 2, 3]); for await (const c of r) { log(c); break; } log(r.destroyed); }
{ log(await Readable.from([1, 2, 3, 4]).filter((x) => x % 2).map((x) => x * 10).toArray()); }
{ class Up extends Transform { _transform(c, e, cb) { cb(null, String(c) + "?"); } } const u = new Up(); u.end("hey"); log(String((await u.toArray())[0]), u instanceof Stream, u instanceof Writable, u instanceof Readable, new Writable() instanceof Readable); }
{ function Old() { Transform.call(this); } Object.setPrototypeOf(Old.prototype, Transform.prototype); Old.prototype._transform = (c, e, cb) => cb(null, c); const o = new Old(); o.end("old"); log(String((await o.toArray())[0])); }
{ const out = []; const r = new Readable({ construct(cb) { setTimeout(() => { out.push("constructed"); cb(); }, 1); }, read() { out.push("read"); this.push(null); }, destroy(e, cb) { out.push("destroy"); cb(e); } }); r.resume(); await done(r); log(out); }
{ const r = new Readable({ read() { throw new Error("in read"); } }); r.on("error", (e) => log(e.message)); r.resume(); await sleep(1); }
{ let w = 0; const slow = new Writable({ highWaterMark: 2, write(c, e, cb) { w++; setTimeout(cb, 1); } }); let made = 0; const fast = new Readable({ highWaterMark: 2, read() { this.push(made < 6 ? "xx" : null); made++; } }); fast.pipe(slow); await done(slow); log(w, made); }
