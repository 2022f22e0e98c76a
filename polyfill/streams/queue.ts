// Queues of the algorithms. They are plain rings: index access cannot be replaced
// by user code as Array.prototype.push can.

import { RangeErrorCtor } from "./intrinsics.ts";

/** First in, first out. */
export class Fifo<T> {
  declare items: (T | undefined)[];
  declare head: number;
  declare length: number;
  constructor() {
    this.items = [];
    this.head = 0;
    this.length = 0;
  }
  push(item: T): void {
    this.items[this.head + this.length++] = item;
  }
  peek(): T {
    return this.items[this.head]!;
  }
  /** Replaces the item that was pushed last. */
  replaceLast(item: T): void {
    this.items[this.head + this.length - 1] = item;
  }
  shift(): T {
    const { items, head } = this;
    const item = items[head]!;
    items[head] = undefined;
    this.head = head + 1;
    if (--this.length === 0) {
      this.head = 0;
    } else if (head >= 1024 && head > this.length) {
      this.compact();
    }
    return item;
  }
  private compact(): void {
    const { items, head, length } = this;
    for (let i = 0; i < length; i++) items[i] = items[head + i];
    items.length = length;
    this.head = 0;
  }
}

/** Queue-with-sizes, https://streams.spec.whatwg.org/#queue-with-sizes. */
export class SizedQueue extends Fifo<unknown> {
  /** null while every size is 1. */
  declare sizes: Fifo<number> | null;
  declare total: number;
  constructor() {
    super();
    this.sizes = null;
    this.total = 0;
  }
  /** Throws RangeError for a size that is negative, NaN or infinite. */
  enqueue(value: unknown, size: number): void {
    if (size !== 1 || this.sizes !== null) this.pushSize(size);
    this.items[this.head + this.length++] = value;
    this.total += size;
  }
  private pushSize(size: number): void {
    if (!(size >= 0 && size < Infinity)) throw new RangeErrorCtor(`A chunk's size must be a finite number of at least 0, not ${size}`);
    if (this.sizes === null) {
      this.sizes = new Fifo();
      for (let i = 0; i < this.length; i++) this.sizes.push(1);
    }
    this.sizes.push(size);
  }
  dequeue(): unknown {
    const total = this.total - (this.sizes === null ? 1 : this.sizes.shift());
    this.total = total < 0 ? 0 : total;
    return this.shift();
  }
  reset(): void {
    this.items = [];
    this.head = this.length = 0;
    this.sizes = null;
    this.total = 0;
  }
}
