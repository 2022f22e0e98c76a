// Evaluated after the platform and before testharness.js: what a worker's global
// scope gives the tests, and how the results get out.
const read = __host.op("wpt.read");
Object.assign(globalThis, {
  self: globalThis,
  isSecureContext: true,
  location: { search: "", pathname: "/", href: "http://web-platform.test/", origin: "http://web-platform.test" },
  GLOBAL: { isWindow: () => false, isWorker: () => true, isShadowRealm: () => false },
});
// Some tests take the constructor of shared buffers from here, because browsers may hide it.
globalThis.WebAssembly = { Memory: class { constructor({ initial }) { this.buffer = new SharedArrayBuffer(initial * 65536); } } };
let folder = "/";
const echo = "/fetch/api/resources/echo-content.py";
const { fetch } = globalThis;
Object.defineProperty(globalThis, "fetch", {
  writable: true,
  configurable: true,
  // The tests fetch interface definitions and data of the checkout, or an echo.
  value: async (path, init) => String(path).startsWith("blob:") ? fetch(path, init) : path === echo ? new Response(await new Request(location.origin + path, init).arrayBuffer()) : new Response(read(String(path).startsWith("/") ? path : folder + path)),
});
let outcome = null;
const statuses = ["pass", "fail", "timeout", "notrun", "precondition"];
export const begin = ({ file, variant }) => {
  location.search = variant;
  // For idlharness.js: interfaces are exposed as they are to a dedicated worker.
  globalThis.DedicatedWorkerGlobalScope = class { static [Symbol.hasInstance](value) { return value === globalThis; } };
  folder = file.slice(0, file.lastIndexOf("/") + 1);
  setup({ explicit_done: true, explicit_timeout: true });
  add_completion_callback((tests, status) => {
    outcome = {
      harness: status.status === 0 ? "" : String(status.message),
      tests: tests.map((t) => ({ name: t.name, status: statuses[t.status], message: t.message ?? "" })),
    };
  });
};
export const end = () => { done(); };
export const results = () => outcome;
