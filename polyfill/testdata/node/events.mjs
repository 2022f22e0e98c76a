import EventEmitter, { once, on, EventEmitter as Named, errorMonitor } from "node:events";
const out = []; const log = (...a) => console.log(JSON.stringify(a));
const e = new EventEmitter();
e.on("newListener", (n) => out.push("new:" + String(n)));
const f = (...a) => out.push(["f", ...a]);
e.on("a", f).once("a", () => out.push("once")).prependListener("a", () => out.push("first"));
log(e.emit("a", 1, 2), e.emit("a", 3), e.emit("zzz"), out.splice(0));
e.removeListener("a", f); log(e.listenerCount("a"), e.eventNames().map(String), e.rawListeners("a").length);
try { e.emit("error", new Error("boom")); } catch (x) { log(x.message); }
try { e.emit("error", "text"); } catch (x) { log(x.code, x.message, x.context); }
e.on(errorMonitor, (x) => out.push("monitor " + x.message)); e.on("error", (x) => out.push("handled " + x.message)); e.emit("error", new Error("e2")); log(out.splice(0));
const p = once(e, "later"); setTimeout(() => e.emit("later", 5, 6), 1); log(await p);
const q = once(e, "never").catch((x) => x.message); e.emit("error", new Error("e3")); log(await q);
const ac = new AbortController(); const r = once(e, "never", { signal: ac.signal }).catch((x) => [x.name, x.code]); ac.abort(); log(await r);
setTimeout(() => { e.emit("tick", 1); e.emit("tick", 2); e.emit("stop"); }, 1);
const ticks = []; for await (const [v] of on(e, "tick", { close: ["stop"] })) ticks.push(v); log(ticks);
class X extends EventEmitter { constructor() { super(); this.x = 1; } } log(new X().on("y", () => {}) instanceof Named, new X() instanceof EventEmitter);
function Old() { EventEmitter.call(this); } Object.setPrototypeOf(Old.prototype, EventEmitter.prototype); const o = new Old(); o.on("q", () => out.push("q")); o.emit("q"); log(out.splice(0), EventEmitter.defaultMaxListeners, o.getMaxListeners());
e.removeAllListeners("a"); log(e.listenerCount("a")); e.removeAllListeners(); log(e.eventNames());
const d = new EventEmitter(); d.on("x", function () { d.off("x", second); out.push(this === d); }); function second() { out.push("second"); } d.on("x", second); d.emit("x"); d.emit("x"); log(out.splice(0));
try { d.on("x", 5); } catch (x) { log(x.name, x.code, x.message); }
log(await once(new EventTarget(), "no", { signal: AbortSignal.abort() }).catch((x) => x.name));
const t = new EventTarget(); const w = once(t, "hey"); t.dispatchEvent(new Event("hey")); log((await w)[0].type);
