// A job: the bundle's worker for its topic.

import { AbortController, AbortSignal } from "../../polyfill/abort.ts";
import { endingOp, makeJob } from "../../hostfn/pb/jobs.ts";
import { workerFor } from "./describe.ts";

type Head = Parameters<typeof makeJob>[0];

class JobContext {
  #controller: AbortController | undefined;

  /** Aborts when the job is cancelled, takes too long, or the server shuts down. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      const controller = (this.#controller = new AbortController());
      endingOp().then((reason) => { controller.abort(new DOMException(reason, "AbortError")); }, () => {});
    }
    return this.#controller.signal;
  }
}

export async function job(head: Head): Promise<{ missing?: boolean; result?: unknown }> {
  const worker = workerFor(head.topic);
  if (!worker) return { missing: true };
  return { result: await worker(makeJob(head), new JobContext()) };
}
