// https://html.spec.whatwg.org/#message-channels, within one instance.
import { EventTarget, MessageEvent, defineEventHandler, dispatchTrusted } from "./events.ts";
import { cloneWithTransfer, defineTransferable } from "./structuredclone.ts";
import { defineInterface, required } from "./webidl.ts";

const startTimer = setTimeout;
const apply = Reflect.apply;

/** Messages that wait at one port. */
export const maxQueued = 10_000;

interface Message {
  data: unknown;
  ports: MessagePort[];
}

/** One end of a channel. It moves to another MessagePort when the port is transferred. */
interface End {
  peer: End | null;
  port: MessagePort | null;
  queue: Message[];
  started: boolean;
  scheduled: boolean;
}

const key = Symbol("MessagePort");

let endOf: (port: MessagePort) => End | null;
let isPort: (value: object) => value is MessagePort;
let detach: (port: MessagePort) => void;

/** Delivers one message in a task of its own. */
function schedule(end: End): void {
  if (end.scheduled || !end.started || end.port === null || end.queue.length === 0) return;
  end.scheduled = true;
  startTimer(() => {
    end.scheduled = false;
    const { port } = end;
    if (port === null || !end.started) return;
    const message = end.queue.shift();
    if (message === undefined) return;
    schedule(end);
    dispatchTrusted(port, new MessageEvent("message", { data: message.data, ports: message.ports }));
  }, 0);
}

function disentangle(end: End): void {
  const { peer } = end;
  end.peer = null;
  if (peer === null) return;
  peer.peer = null;
  // What was sent before the closing still arrives.
  if (peer.port !== null) startTimer(() => {
    if (peer.port !== null) dispatchTrusted(peer.port, new MessageEvent("close"));
  }, 0);
}

/** https://html.spec.whatwg.org/#messageport */
export class MessagePort extends EventTarget {
  #end: End | null = null;

  constructor(token: unknown | undefined = undefined, end: End | undefined = undefined) {
    if (token !== key) throw new TypeError("Illegal constructor: use new MessageChannel()");
    super();
    this.#end = end!;
    end!.port = this;
  }

  /** A port that was closed or transferred takes messages and drops them. */
  postMessage(message: unknown, options: { transfer?: Iterable<object> } | Iterable<object> | undefined = undefined): void {
    const end = this.#end;
    required(arguments.length, 1, "postMessage()");
    const transfer = transferList(options);
    if (transfer.includes(this)) throw new DOMException("A port cannot be sent through itself", "DataCloneError");
    const { peer } = end ?? { peer: null };
    if (peer !== null && peer.queue.length >= maxQueued) {
      throw new DOMException(`${maxQueued} messages wait at the other port: give it a listener and call start()`, "QuotaExceededError");
    }
    const doomed = peer !== null && peer.port !== null && transfer.includes(peer.port);
    const { value, transferred } = cloneWithTransfer(message, transfer);
    if (peer === null || doomed) return;
    peer.queue.push({ data: value, ports: transferred.filter((item) => isPort(item)) as MessagePort[] });
    schedule(peer);
  }

  start(): void {
    const end = this.#end;
    if (end === null) return;
    end.started = true;
    schedule(end);
  }

  close(): void {
    const end = this.#end;
    this.#end = null;
    if (end === null) return;
    end.port = null;
    end.queue = [];
    disentangle(end);
  }

  declare onmessage: ((this: MessagePort, event: MessageEvent) => unknown) | null;
  declare onmessageerror: ((this: MessagePort, event: MessageEvent) => unknown) | null;

  static {
    endOf = (port) => port.#end;
    isPort = (value): value is MessagePort => #end in value;
    detach = (port) => {
      port.#end = null;
    };
  }
}
defineInterface(MessagePort, "MessagePort");
defineEventHandler(MessagePort.prototype, "message");
defineEventHandler(MessagePort.prototype, "messageerror");
// Setting onmessage starts the port.
const { get, set } = Object.getOwnPropertyDescriptor(MessagePort.prototype, "onmessage")!;
Object.defineProperty(MessagePort.prototype, "onmessage", {
  get,
  set(value) {
    apply(set!, this, [value]);
    apply(MessagePort.prototype.start, this, []);
  },
  enumerable: true,
  configurable: true,
});

defineTransferable(MessagePort, {
  isDetached: (port) => endOf(port) === null,
  transfer: (port) => {
    const end = endOf(port)!;
    detach(port);
    end.started = false;
    return new MessagePort(key, end);
  },
});

function transferList(options: unknown): object[] {
  if (options === undefined || options === null) return [];
  if (typeof options !== "object" && typeof options !== "function") throw new TypeError("postMessage()'s options are not an object");
  const list = (options as Iterable<object>)[Symbol.iterator] === undefined ? (options as { transfer?: Iterable<object> }).transfer : options as Iterable<object>;
  return list === undefined ? [] : [...list];
}

/** https://html.spec.whatwg.org/#messagechannel */
export class MessageChannel {
  #port1: MessagePort;
  #port2: MessagePort;
  constructor() {
    const end = (): End => ({ peer: null, port: null, queue: [], started: false, scheduled: false });
    const a = end();
    const b = end();
    a.peer = b;
    b.peer = a;
    this.#port1 = new MessagePort(key, a);
    this.#port2 = new MessagePort(key, b);
  }
  get port1(): MessagePort { return this.#port1; }
  get port2(): MessagePort { return this.#port2; }
}
defineInterface(MessageChannel, "MessageChannel");
