import { host } from "./host.ts";
import { required } from "./webidl.ts";

const later = queueMicrotask;

/** Tells the listeners of the global object about what nobody caught; true if one of them took care of it. */
type ErrorEvents = (kind: "exception" | "rejection" | "handled", error: unknown, promise: unknown) => boolean;

let errorEvents: ErrorEvents = () => false;
/** The next exception that the engine reports has had its event. */
let announced = false;

/** events.ts, which builds on this file, makes the events. */
export function setErrorEvents(events: ErrorEvents): void {
  errorEvents = events;
}

host.onUncaught((kind, error, promise) => {
  if (announced && kind === "exception") {
    announced = false;
    return false;
  }
  return errorEvents(kind, error, promise);
});

/** Guards against listeners of errors that throw themselves. */
let reporting = false;

/**
 * Reports an exception as uncaught: an event tells the global object's listeners, and unless one cancels it the host
 * logs the error; the code goes on. https://html.spec.whatwg.org/#dom-reporterror
 */
export function reportError(error: unknown): void {
  required(arguments.length, 1, "reportError()");
  if (!reporting) {
    reporting = true;
    try {
      if (errorEvents("exception", error, undefined)) return;
    } finally {
      reporting = false;
    }
  }
  later(() => {
    announced = true;
    throw error;
  });
}
