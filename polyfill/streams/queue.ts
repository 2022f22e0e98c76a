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
export class SizedQueue {
  declare values: Fifo<unknown>;
  /** null while every size is 1. */
  declare sizes: Fifo<number> | null;
  declare total: number;
  constructor() {
    this.values = new Fifo();
    this.sizes = null;
    this.total = 0;
  }
  get length(): number {
    return this.values.length;
  }
  /** Throws RangeError for a size that is negative, NaN or infinite. */
  enqueue(value: unknown, size: number): void {
    if (size !== 1 || this.sizes !== null) {
      if (!(size >= 0 && size < Infinity)) throw new RangeErrorCtor(`A chunk's size must be a finite number of at least 0, not ${size}`);
      if (this.sizes === null) {
        this.sizes = new Fifo();
        for (let i = 0; i < this.values.length; i++) this.sizes.push(1);
      }
      this.sizes.push(size);
    }
    this.values.push(value);
    this.total += size;
  }
  peek(): unknown {
    return this.values.peek();
  }
  dequeue(): unknown {
    this.total -= this.sizes === null ? 1 : this.sizes.shift();
    if (this.total < 0) this.total = 0;
    return this.values.shift();
  }
  reset(): void {
    this.values = new Fifo();
    this.sizes = null;
    this.total = 0;
  }
}
