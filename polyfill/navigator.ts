// https://html.spec.whatwg.org/#the-navigator-object, as far as a server has it
import { defineInterface } from "./webidl.ts";

const token = Symbol("Navigator");

/** The class of the global navigator. It does not tell how many cores the machine has. */
export class Navigator {
  constructor(secret?: unknown) {
    if (secret !== token) throw new TypeError("Illegal constructor: use the global navigator");
  }
  get userAgent(): string { return "agentrt/0.1"; }
  get hardwareConcurrency(): number { return 1; }
  get language(): string { return "en"; }
  get languages(): readonly string[] { return Object.freeze(["en"]); }
}
defineInterface(Navigator, "Navigator");

/** The global navigator. */
export const navigator = new Navigator(token);
