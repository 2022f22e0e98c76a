// Evaluated after the platform and before testharness.js: what a worker's global
// scope gives the tests, and how the results get out.
const read = __host.op("wpt.read");
Object.assign(globalThis, {
  self: globalThis,
  location: { search: "", pathname: "/", href: "http://web-platform.test/", origin: "http://web-platform.test" },
  GLOBAL: { isWindow: () => false, isWorker: () => true, isShadowRealm: () => false },
});
// Some tests take the constructor of shared buffers from here, because browsers may hide it.
globalThis.WebAssembly = { Memory: class { constructor({ initial }) { this.buffer = new SharedArrayBuffer(initial * 65536); } } };
let folder = "/";
Object.defineProperty(globalThis, "fetch", {
  writable: true,
  configurable: true,
  // The tests fetch interface definitions and data of the checkout only.
  value: async (path) => new Response(read(String(path).startsWith("/") ? path : folder + path)),
});
let outcome = null;
const statuses = ["pass", "fail", "timeout", "notrun", "precondition"];
export const begin = (file) => {
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
