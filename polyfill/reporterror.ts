import { required } from "./webidl.ts";

const later = queueMicrotask;

/**
 * Reports an exception as uncaught: the host logs it, the code goes on.
 * https://html.spec.whatwg.org/#dom-reporterror
 */
export function reportError(error: unknown): void {
  required(arguments.length, 1, "reportError()");
  later(() => {
    throw error;
  });
}
