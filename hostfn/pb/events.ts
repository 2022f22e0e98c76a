// pb.onRecord… and pb.cron: what a bundle's modules register while they are evaluated.

type Handler = (event: any) => unknown;

export interface HookRegistration {
  event: string;
  collections: string[];
  handler: Handler;
  /** { net, secrets } as it was given; the host checks it. */
  access: unknown;
}

export interface CronRegistration {
  name: string;
  schedule: string;
  timezone: string;
  overlap: boolean;
  handler: Handler;
  access: unknown;
}

export interface WorkerRegistration {
  topic: string;
  config: Record<string, unknown>;
  handler: (job: any, context: any) => unknown;
}

export const registered: { hooks: HookRegistration[]; crons: CronRegistration[]; workers: WorkerRegistration[] } = { hooks: [], crons: [], workers: [] };

const maxRegistrations = 1000;
let closed = false;

/** The modules have been evaluated: nothing is registered any more. */
export function closeRegistration(): void { closed = true; }

export function register<T>(list: T[], what: string, entry: T): void {
  if (closed) throw new Error(`${what} registers a handler and works at the top level of a module only; move the call out of the function it is in`);
  if (list.length >= maxRegistrations) throw new RangeError(`${what}: at most ${maxRegistrations} registrations`);
  list.push(entry);
}

function collectionsOf(value: unknown, what: string): string[] {
  const list = Array.isArray(value) ? [...value] : [value];
  if (list.length === 0 || list.some((name) => typeof name !== "string" || name === "")) {
    throw new TypeError(`${what} takes the name of a collection, an array of names, or "*", and a handler`);
  }
  return list;
}

const hook = (event: string) => {
  const what = `pb.onRecord${event}`;
  const name = event[0]!.toLowerCase() + event.slice(1);
  return (collections: unknown, handler: unknown, access?: unknown): void => {
    if (typeof handler !== "function") throw new TypeError(`${what} takes a function as its second argument`);
    register(registered.hooks, what, { event: name, collections: collectionsOf(collections, what), handler: handler as Handler, access });
  };
};

/** Checks what both pb.cron and a file below src/crons give; the host checks schedule and time zone. */
export function cronEntry(what: string, name: unknown, schedule: unknown, handler: unknown, options: { timezone?: unknown; overlap?: unknown }, access: unknown): CronRegistration {
  if (typeof name !== "string" || !/^[\w./-]{1,100}$/.test(name)) throw new TypeError(`${what}: the name has 1 to 100 letters, digits and "_-./", not ${JSON.stringify(name)}`);
  if (typeof schedule !== "string") throw new TypeError(`${what}: the schedule is a string such as "0 7 * * *", not ${String(schedule)}`);
  if (typeof handler !== "function") throw new TypeError(`${what}: the handler is a function, not ${String(handler)}`);
  const { timezone = "", overlap = false } = options;
  if (typeof timezone !== "string") throw new TypeError(`${what}: timezone is a name such as "Europe/Berlin", not ${String(timezone)}`);
  if (typeof overlap !== "boolean") throw new TypeError(`${what}: overlap is true or false, not ${String(overlap)}`);
  return { name, schedule, timezone, overlap, handler: handler as Handler, access };
}

export const events = {
  onRecordBeforeCreate: hook("BeforeCreate"),
  onRecordAfterCreate: hook("AfterCreate"),
  onRecordBeforeUpdate: hook("BeforeUpdate"),
  onRecordAfterUpdate: hook("AfterUpdate"),
  onRecordBeforeDelete: hook("BeforeDelete"),
  onRecordAfterDelete: hook("AfterDelete"),
  cron(name: unknown, schedule: unknown, handler: unknown, options?: { timezone?: string; overlap?: boolean }): void {
    const { timezone, overlap, ...access } = options ?? {};
    register(registered.crons, "pb.cron", cronEntry(`pb.cron(${JSON.stringify(name)})`, name, schedule, handler, { timezone, overlap }, access));
  },
};

type FieldErrors = Record<string, string | { code?: string; message: string }>;

/** Thrown by a Before hook: the caller gets 400 with an error per field. */
export class ValidationError extends Error {
  readonly data: Record<string, { code: string; message: string }>;

  constructor(fields: FieldErrors, message = "Failed to validate the record.") {
    super(message);
    this.data = fieldErrors(fields);
  }
}
Object.defineProperty(ValidationError.prototype, "name", { value: "ValidationError", writable: true, configurable: true });

/** Field errors in full, from what the user gave; an empty object if it is none. */
export function fieldErrors(fields: unknown): Record<string, { code: string; message: string }> {
  const data: Record<string, { code: string; message: string }> = {};
  if (fields === null || typeof fields !== "object") return data;
  for (const [name, value] of Object.entries(fields as FieldErrors)) {
    if (typeof value === "string") data[name] = { code: "validation_invalid_value", message: value };
    else if (typeof value?.message === "string") data[name] = { code: String(value.code ?? "validation_invalid_value"), message: value.message };
  }
  return data;
}
