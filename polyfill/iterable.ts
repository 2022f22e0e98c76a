// https://webidl.spec.whatwg.org/#idl-iterable for pairs
import { required } from "./webidl.ts";

const { defineProperty, getOwnPropertyDescriptor, setPrototypeOf } = Object;
const apply = Reflect.apply;
const iteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));

export interface PairIterable<V> {
  entries(): IterableIterator<[string, V]>;
  keys(): IterableIterator<string>;
  values(): IterableIterator<V>;
  forEach(callback: (value: V, name: string, self: this) => void, thisArg?: unknown): void;
  [Symbol.iterator](): IterableIterator<[string, V]>;
}

/**
 * Defines entries, keys, values, forEach and Symbol.iterator of an interface named `name`. `listOf` gives the pairs of an
 * object and throws for one of another kind; iterators see changes made while they run, by position.
 */
export function definePairIterable<T extends object, V>(prototype: T, name: string, listOf: (self: T) => readonly (readonly [string, V])[]): void {
  class PairIterator {
    #self: T;
    #kind: "entries" | "keys" | "values";
    #index = 0;
    constructor(self: T, kind: "entries" | "keys" | "values") {
      this.#self = self;
      this.#kind = kind;
    }
    next(): IteratorResult<unknown> {
      const list = listOf(this.#self);
      if (this.#index >= list.length) return { done: true, value: undefined };
      const [key, value] = list[this.#index++]!;
      return { done: false, value: this.#kind === "entries" ? [key, value] : this.#kind === "keys" ? key : value };
    }
  }
  setPrototypeOf(PairIterator.prototype, iteratorPrototype);
  defineProperty(PairIterator.prototype, "next", { ...getOwnPropertyDescriptor(PairIterator.prototype, "next"), enumerable: true });
  defineProperty(PairIterator.prototype, Symbol.toStringTag, { value: `${name} Iterator`, configurable: true });

  const members = {
    entries(this: T) {
      listOf(this);
      return new PairIterator(this, "entries");
    },
    keys(this: T) {
      listOf(this);
      return new PairIterator(this, "keys");
    },
    values(this: T) {
      listOf(this);
      return new PairIterator(this, "values");
    },
    forEach(this: T, callback: (value: V, name: string, self: T) => void, thisArg?: unknown) {
      listOf(this);
      required(arguments.length, 1, `${name}'s forEach()`);
      if (typeof callback !== "function") throw new TypeError(`The callback of ${name}'s forEach() is not a function`);
      for (let i = 0; i < listOf(this).length; i++) {
        const [key, value] = listOf(this)[i]!;
        apply(callback, thisArg, [value, key, this]);
      }
    },
  };
  defineProperty(members.forEach, "length", { value: 1, configurable: true });
  for (const key of ["entries", "forEach", "keys", "values"] as const) {
    defineProperty(prototype, key, { value: members[key], writable: true, enumerable: true, configurable: true });
  }
  defineProperty(prototype, Symbol.iterator, { value: members.entries, writable: true, configurable: true });
}
