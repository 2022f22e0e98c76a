// pb.secrets, over the operation of secrets.go.

import { host } from "../../polyfill/host.ts";

const getOp = host.op<string | null>("pb.secrets.get");

function get(name: string): string | null {
  if (typeof name !== "string" || name === "") throw new TypeError("pb.secrets.get() takes the name of a secret");
  return getOp(name);
}

export const secrets = Object.freeze({ get });
