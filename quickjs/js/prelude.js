(() => {
  const { asyncContext, setAsyncContext, log } = __host;

  // https://nodejs.org/api/async_context.html; the context is an immutable map.
  class AsyncLocalStorage {
    #frame(store) {
      const frame = new Map(asyncContext());
      frame.set(this, store);
      return frame;
    }
    getStore() { return asyncContext()?.get(this); }
    enterWith(store) { setAsyncContext(this.#frame(store)); }
    disable() { this.enterWith(undefined); }
    run(store, fn, ...args) {
      const outer = asyncContext();
      setAsyncContext(this.#frame(store));
      try {
        return fn(...args);
      } finally {
        setAsyncContext(outer);
      }
    }
    exit(fn, ...args) { return this.run(undefined, fn, ...args); }
    static snapshot() {
      const frame = asyncContext();
      return (fn, ...args) => {
        const outer = asyncContext();
        setAsyncContext(frame);
        try {
          return fn(...args);
        } finally {
          setAsyncContext(outer);
        }
      };
    }
    static bind(fn) {
      const run = AsyncLocalStorage.snapshot();
      return function (...args) { return run(() => fn.apply(this, args)); };
    }
  }

  const depthLimit = 4;
  const itemLimit = 100;

  function inspect(value, depth, seen) {
    switch (typeof value) {
      case "string": return depth === 0 ? value : JSON.stringify(value);
      case "bigint": return `${value}n`;
      case "symbol": return value.toString();
      case "function": return `[Function: ${value.name || "anonymous"}]`;
      case "object": break;
      default: return Object.is(value, -0) ? "-0" : String(value);
    }
    if (value === null) return "null";
    if (seen.includes(value)) return "[Circular]";
    if (value instanceof Error) {
      const cause = value.cause === undefined ? "" : `\n  [cause]: ${inspect(value.cause, depth + 1, [...seen, value])}`;
      return (value.stack || String(value)) + cause;
    }
    if (value instanceof Date) return isNaN(value) ? "Invalid Date" : value.toISOString();
    if (value instanceof RegExp) return String(value);
    const inner = [...seen, value];
    const show = (v) => inspect(v, depth + 1, inner);
    const list = (open, items, total, close) => {
      if (total > items.length) items.push(`... ${total - items.length} more`);
      return items.length ? `${open} ${items.join(", ")} ${close}` : open + close;
    };
    const name = Object.getPrototypeOf(value) === null ? "[Object: null prototype]" : value.constructor?.name ?? "Object";
    if (depth >= depthLimit) return Array.isArray(value) ? "[Array]" : `[${name}]`;
    if (Array.isArray(value)) return list("[", value.slice(0, itemLimit).map(show), value.length, "]");
    if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
      return list(`${name}(${value.length}) [`, Array.from(value.subarray(0, itemLimit), show), value.length, "]");
    }
    if (value instanceof Map) {
      return list(`Map(${value.size}) {`, [...value].slice(0, itemLimit).map(([k, v]) => `${show(k)} => ${show(v)}`), value.size, "}");
    }
    if (value instanceof Set) return list(`Set(${value.size}) {`, [...value].slice(0, itemLimit).map(show), value.size, "}");
    const keys = Reflect.ownKeys(value).filter((k) => Object.getOwnPropertyDescriptor(value, k)?.enumerable);
    const items = keys.slice(0, itemLimit).map((k) => {
      const d = Object.getOwnPropertyDescriptor(value, k);
      const key = typeof k === "symbol" ? `[${k.toString()}]` : /^[\w$]+$/.test(k) ? k : JSON.stringify(k);
      return `${key}: ${"value" in d ? show(d.value) : "[Getter/Setter]"}`;
    });
    return list(name === "Object" ? "{" : `${name} {`, items, keys.length, "}");
  }

  function format(args) {
    let rest = args;
    let text = "";
    if (typeof args[0] === "string" && args[0].includes("%") && args.length > 1) {
      let n = 1;
      text = args[0].replace(/%([sdifjoOc%])/g, (whole, kind) => {
        if (kind === "%") return "%";
        if (n >= args.length) return whole;
        const v = args[n++];
        switch (kind) {
          case "d": case "i": return String(kind === "i" ? parseInt(v) : Number(v));
          case "f": return String(parseFloat(v));
          case "j": return JSON.stringify(v);
          case "c": return "";
          case "s": return typeof v === "string" ? v : inspect(v, 1, []);
          default: return inspect(v, 1, []);
        }
      });
      rest = args.slice(n);
      if (rest.length) text += " ";
    }
    return text + rest.map((v) => {
      try {
        return inspect(v, 0, []);
      } catch (e) {
        return `[${typeof v} that throws when inspected]`;
      }
    }).join(" ");
  }

  const at = (level) => (...args) => log(level, format(args));
  const counts = new Map();
  const times = new Map();
  const console = {
    debug: at(0), trace: at(0), log: at(1), info: at(1), dir: at(1), table: at(1), group: at(1), warn: at(2), error: at(3),
    groupEnd() {},
    assert(ok, ...args) { if (!ok) console.error("Assertion failed:", ...args); },
    count(label = "default") {
      counts.set(label, (counts.get(label) ?? 0) + 1);
      console.log(`${label}: ${counts.get(label)}`);
    },
    countReset(label = "default") { counts.delete(label); },
    time(label = "default") { times.set(label, performance.now()); },
    timeLog(label = "default", ...args) { console.log(`${label}: ${(performance.now() - times.get(label)).toFixed(3)}ms`, ...args); },
    timeEnd(label = "default") {
      console.timeLog(label);
      times.delete(label);
    },
  };

  for (const [name, value] of Object.entries({ AsyncLocalStorage, console })) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
})();
