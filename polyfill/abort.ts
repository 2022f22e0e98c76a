// https://dom.spec.whatwg.org/#aborting-ongoing-activities
import { defineInterface, enforceRange, required } from "./webidl.ts";
import { Event, EventTarget, defineEventHandler, dispatchTrusted, listens, setSignalHooks } from "./events.ts";

const startTimer = setTimeout;
const key = Symbol("AbortSignal");

let abort: (signal: AbortSignal, reason: unknown) => void;
let addAlgorithm: (signal: AbortSignal, algorithm: () => void) => void;
let removeAlgorithm: (signal: AbortSignal, algorithm: () => void) => void;
let link: (result: AbortSignal, sources: readonly AbortSignal[]) => void;
let isSignal: (value: unknown) => value is AbortSignal;

/** https://dom.spec.whatwg.org/#interface-AbortSignal */
export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown;
  #algorithms: Set<() => void> | undefined;
  #dependent = false;
  #sources: Set<AbortSignal> | undefined;
  /** Held strongly: a signal lives as long as the invocation at most. */
  #dependents: Set<AbortSignal> | undefined;

  constructor(token: unknown | undefined = undefined) {
    if (token !== key) throw new TypeError("Illegal constructor: use new AbortController().signal, AbortSignal.timeout() or AbortSignal.any()");
    super();
  }

  static abort(reason: unknown | undefined = undefined): AbortSignal {
    const signal = new AbortSignal(key);
    signal.#aborted = true;
    signal.#reason = reason === undefined ? new DOMException("This operation was aborted", "AbortError") : reason;
    return signal;
  }

  static timeout(milliseconds: number): AbortSignal {
    required(arguments.length, 1, "AbortSignal.timeout()");
    const delay = enforceRange(milliseconds, "unsigned long long", "AbortSignal.timeout()'s time");
    const signal = new AbortSignal(key);
    startTimer(() => abort(signal, new DOMException("The operation was aborted due to timeout", "TimeoutError")), delay > 2_147_483_647 ? 2_147_483_647 : delay);
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    required(arguments.length, 1, "AbortSignal.any()");
    if (signals === null || typeof signals !== "object") throw new TypeError("AbortSignal.any() takes a sequence of AbortSignals");
    const list = [...signals];
    for (const signal of list) if (!isSignal(signal)) throw new TypeError("AbortSignal.any() takes a sequence of AbortSignals");
    return dependentSignal(list);
  }

  get aborted(): boolean { return this.#aborted; }
  get reason(): unknown { return this.#reason; }
  throwIfAborted(): void { if (this.#aborted) throw this.#reason; }
  declare onabort: ((this: AbortSignal, event: Event) => unknown) | null;

  #runSteps(): void {
    const algorithms = this.#algorithms;
    this.#algorithms = undefined;
    if (algorithms !== undefined) for (const algorithm of algorithms) algorithm();
    if (listens(this, "abort")) dispatchTrusted(this, new Event("abort"));
  }

  static {
    isSignal = (value): value is AbortSignal => typeof value === "object" && value !== null && #aborted in value;
    abort = (signal, reason) => {
      if (signal.#aborted) return;
      signal.#aborted = true;
      signal.#reason = reason === undefined ? new DOMException("This operation was aborted", "AbortError") : reason;
      const dependents: AbortSignal[] = [];
      for (const dependent of signal.#dependents ?? []) {
        if (dependent.#aborted) continue;
        dependent.#aborted = true;
        dependent.#reason = signal.#reason;
        dependents.push(dependent);
        for (const source of dependent.#sources!) if (source !== signal) source.#dependents?.delete(dependent);
        dependent.#sources = undefined;
      }
      signal.#dependents = undefined;
      signal.#runSteps();
      for (const dependent of dependents) dependent.#runSteps();
    };
    addAlgorithm = (signal, algorithm) => {
      if (!signal.#aborted) (signal.#algorithms ??= new Set()).add(algorithm);
    };
    removeAlgorithm = (signal, algorithm) => {
      signal.#algorithms?.delete(algorithm);
    };
    link = (result, sources) => {
      for (const source of sources) {
        if (source.#aborted) {
          result.#aborted = true;
          result.#reason = source.#reason;
          return;
        }
      }
      result.#dependent = true;
      result.#sources = new Set();
      for (const source of sources) {
        // A dependent signal may have lost its sources' sources by now only if it was aborted.
        for (const origin of source.#dependent ? source.#sources! : [source]) {
          result.#sources.add(origin);
          (origin.#dependents ??= new Set()).add(result);
        }
      }
    };
  }
}
defineInterface(AbortSignal, "AbortSignal");
defineEventHandler(AbortSignal.prototype, "abort");
setSignalHooks({
  isSignal,
  isAborted: (signal) => (signal as AbortSignal).aborted,
  add: (signal, algorithm) => addAlgorithm(signal as AbortSignal, algorithm),
});

/** https://dom.spec.whatwg.org/#interface-abortcontroller */
export class AbortController {
  #signal = new AbortSignal(key);
  get signal(): AbortSignal { return this.#signal; }
  abort(reason: unknown | undefined = undefined): void { abort(this.#signal, reason); }
}
defineInterface(AbortController, "AbortController");

/** Whether the value is an AbortSignal, whatever its prototype says. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  return isSignal(value);
}

/** A signal without a controller, for objects such as Request. */
export function createAbortSignal(): AbortSignal {
  return new AbortSignal(key);
}

/** https://dom.spec.whatwg.org/#abortsignal-signal-abort; without a reason it is an AbortError. */
export function signalAbort(signal: AbortSignal, reason: unknown | undefined = undefined): void {
  abort(signal, reason);
}

/** https://dom.spec.whatwg.org/#create-a-dependent-abort-signal */
export function dependentSignal(signals: readonly AbortSignal[]): AbortSignal {
  const result = new AbortSignal(key);
  link(result, signals);
  return result;
}

/** Runs algorithm when the signal is aborted, ahead of its event; nothing happens for one that is aborted already. */
export function addAbortAlgorithm(signal: AbortSignal, algorithm: () => void): void {
  addAlgorithm(signal, algorithm);
}

/** Takes back addAbortAlgorithm. */
export function removeAbortAlgorithm(signal: AbortSignal, algorithm: () => void): void {
  removeAlgorithm(signal, algorithm);
}
