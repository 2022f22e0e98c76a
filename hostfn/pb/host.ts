// pb.host: the functions of host modules, over the operations of host.go.

import { host as engine } from "../../polyfill/host.ts";
import { op } from "./op.ts";

interface Module {
  name: string;
  functions: { name: string; async: boolean; bytes: boolean }[] | null;
}

type Bytes = ArrayBuffer | ArrayBufferView;

const isBytes = (v: unknown): v is Bytes => v instanceof ArrayBuffer || ArrayBuffer.isView(v);

function bind(name: string, async: boolean, bytes: boolean): (first?: unknown, second?: unknown) => unknown {
  const call = async ? op<Promise<unknown>>(name) : engine.op(name);
  return (first, second) => {
    const body = bytes ? first : second;
    if (body !== undefined && !isBytes(body) || bytes && body === undefined) {
      const error = Object.assign(new TypeError(`${name}: the ${bytes ? "first" : "second"} argument is an ArrayBuffer or a view of one`), { code: "ERR_HOST_ARGUMENT" });
      if (async) return Promise.reject(error);
      throw error;
    }
    return call(bytes ? undefined : first, body as Bytes | undefined);
  };
}

export const host: Record<string, Record<string, unknown>> = Object.create(null);

for (const { name, functions } of engine.op<Module[]>("pb.host.modules")()) {
  const module: Record<string, unknown> = Object.create(null);
  for (const f of functions ?? []) module[f.name] = bind(`pb.host.${name}.${f.name}`, f.async, f.bytes);
  host[name] = Object.freeze(module);
}
Object.freeze(host);
