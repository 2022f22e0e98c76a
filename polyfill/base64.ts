// https://html.spec.whatwg.org/multipage/webappapis.html#atob: the engine's functions, which take a missing argument for "undefined".
import { required } from "./webidl.ts";

const decode = globalThis.atob;
const encode = globalThis.btoa;

/** The globals; methods keep their names in the bundle. */
export const base64 = {
  atob(data: string): string {
    required(arguments.length, 1, "atob()");
    return decode(data);
  },
  btoa(data: string): string {
    required(arguments.length, 1, "btoa()");
    return encode(data);
  },
};
