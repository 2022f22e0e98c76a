// The first argument by which the constructors of stream classes know that they
// are to wrap an internal object; user code cannot get hold of it.

import { TypeErrorCtor } from "./intrinsics.ts";

export const internal: object = { __proto__: null };

/** Refuses construction by users. */
export function onlyInternal(token: unknown): void {
  if (token !== internal) throw new TypeErrorCtor("Illegal constructor");
}
