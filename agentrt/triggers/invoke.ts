// Record hooks and cron jobs registered from Go: a named handler with an event.

import { findHandler } from "./app.ts";

interface RecordChange { record: Record<string, unknown> }

export async function hook(head: { handler: string; event: RecordChange }): Promise<Record<string, unknown>> {
  await findHandler(head.handler)(head.event);
  return head.event.record;
}

export async function cron(head: { handler: string; name: string }): Promise<void> {
  await findHandler(head.handler)({ name: head.name });
}
