// https://webidl.spec.whatwg.org/#quotaexceedederror
import { defineInterface, dictionary, domString } from "./webidl.ts";

export interface QuotaExceededErrorOptions {
  quota?: number;
  requested?: number;
}

function amount(value: unknown, what: string): number | null {
  if (value === undefined) return null;
  const n = Number(value);
  if (!Number.isFinite(n)) throw new TypeError(`QuotaExceededError()'s ${what} is not a finite number`);
  if (n < 0) throw new RangeError(`QuotaExceededError()'s ${what} is negative`);
  return n;
}

/** A limit was exceeded; quota is the limit and requested what was asked for, where they are known. */
export class QuotaExceededError extends DOMException {
  #quota: number | null;
  #requested: number | null;
  constructor(message: string | undefined = undefined, options: QuotaExceededErrorOptions | undefined = undefined) {
    super(message === undefined ? "" : domString(message), "QuotaExceededError");
    const init = dictionary<QuotaExceededErrorOptions>(options, "QuotaExceededError()'s options");
    this.#quota = amount(init.quota, "quota");
    this.#requested = amount(init.requested, "requested");
    if (this.#quota !== null && this.#requested !== null && this.#requested < this.#quota) {
      throw new RangeError("QuotaExceededError()'s requested is less than its quota");
    }
  }
  get quota(): number | null { return this.#quota; }
  get requested(): number | null { return this.#requested; }
}
defineInterface(QuotaExceededError, "QuotaExceededError");
