// https://nodejs.org/api/diagnostics_channel.html
import { checkFunction } from "./errors.ts";

type Name = string | symbol;
type Subscriber = (message: unknown, name: Name) => void;

export class Channel {
  readonly name: Name;
  #subscribers: Subscriber[] = [];
  constructor(name: Name) { this.name = name; }
  get hasSubscribers(): boolean { return this.#subscribers.length > 0; }
  subscribe(subscriber: Subscriber): void {
    checkFunction(subscriber, "subscription");
    this.#subscribers = [...this.#subscribers, subscriber];
  }
  unsubscribe(subscriber: Subscriber): boolean {
    const at = this.#subscribers.indexOf(subscriber);
    if (at >= 0) this.#subscribers = this.#subscribers.toSpliced(at, 1);
    return at >= 0;
  }
  publish(message: unknown): void {
    for (const subscriber of this.#subscribers) {
      try {
        subscriber(message, this.name);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
  runStores<R>(message: unknown, fn: (...args: any[]) => R, thisArg?: unknown, ...args: unknown[]): R {
    this.publish(message);
    return Reflect.apply(fn, thisArg, args);
  }
  bindStore(): void {}
  unbindStore(): boolean { return false; }
}

/** Channels live as long as the instance; beyond this many, new ones are not shared by name. */
const maxChannels = 1_000;
const channels = new Map<Name, Channel>();

export function channel(name: Name): Channel {
  let found = channels.get(name);
  if (found === undefined) {
    found = new Channel(name);
    if (channels.size < maxChannels) channels.set(name, found);
  }
  return found;
}
export function hasSubscribers(name: Name): boolean { return channels.get(name)?.hasSubscribers ?? false; }
export function subscribe(name: Name, subscriber: Subscriber): void { channel(name).subscribe(subscriber); }
export function unsubscribe(name: Name, subscriber: Subscriber): boolean { return channel(name).unsubscribe(subscriber); }

const phases = ["start", "end", "asyncStart", "asyncEnd", "error"] as const;

/** The five channels of one traced operation. */
export function tracingChannel(name: string): any {
  const set: any = {};
  for (const phase of phases) set[phase] = channel(`tracing:${name}:${phase}`);
  const each = (handlers: Record<string, Subscriber>, fn: (channel: Channel, handler: Subscriber) => void) => {
    for (const phase of phases) if (handlers[phase]) fn(set[phase], handlers[phase]);
  };
  set.subscribe = (handlers: Record<string, Subscriber>) => each(handlers, (c, h) => c.subscribe(h));
  set.unsubscribe = (handlers: Record<string, Subscriber>) => each(handlers, (c, h) => void c.unsubscribe(h));
  set.traceSync = (fn: Subscriber, context: any = {}, thisArg?: unknown, ...args: unknown[]) => {
    set.start.publish(context);
    try {
      return (context.result = Reflect.apply(fn, thisArg, args));
    } catch (error) {
      context.error = error;
      set.error.publish(context);
      throw error;
    } finally {
      set.end.publish(context);
    }
  };
  set.tracePromise = (fn: (...args: any[]) => any, context: any = {}, thisArg?: unknown, ...args: unknown[]) => {
    const settle = (key: "result" | "error", value: unknown) => {
      context[key] = value;
      if (key === "error") set.error.publish(context);
      set.asyncStart.publish(context);
      set.asyncEnd.publish(context);
    };
    return Promise.resolve(set.traceSync(fn, context, thisArg, ...args)).then((value) => (settle("result", value), value), (error) => {
      settle("error", error);
      throw error;
    });
  };
  return set;
}
export default { Channel, channel, hasSubscribers, subscribe, unsubscribe, tracingChannel };
