// Record hooks and cron jobs: handlers that the bundle registered, by their number,
// or that Go named by file and export.

import { fieldErrors, registered } from "../../hostfn/pb/events.ts";
import { findHandler } from "./app.ts";
import { cronJobs } from "./describe.ts";

interface RecordChange { record: Record<string, unknown> }

interface HookHead {
  handler?: string;
  handlers?: number[];
  event: RecordChange;
}

interface HookResult {
  record?: Record<string, unknown>;
  /** A refusal with field errors. */
  refused?: { message: string; data: Record<string, { code: string; message: string }> };
}

export async function hook(head: HookHead): Promise<HookResult> {
  const { event } = head;
  try {
    if (head.handler !== undefined) await findHandler(head.handler)(event);
    else for (const k of head.handlers!) await registered.hooks[k]!.handler(event);
  } catch (e) {
    const data = e instanceof Error ? fieldErrors((e as { data?: unknown }).data) : {};
    if (Object.keys(data).length === 0) throw e;
    return { refused: { message: String((e as Error).message), data } };
  }
  return { record: event.record };
}

export async function cron(head: { handler?: string; job?: number; name: string }): Promise<void> {
  const handler = head.handler !== undefined ? findHandler(head.handler) : cronJobs()[head.job!]!.handler;
  await handler({ name: head.name });
}
