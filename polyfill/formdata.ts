// https://xhr.spec.whatwg.org/#interface-formdata
import { Blob, File, isBlob, isFile } from "./blob.ts";
import { definePairIterable, type PairIterable } from "./iterable.ts";
import { defineInterface, required, usvString } from "./webidl.ts";

export type FormDataEntryValue = File | string;

let entriesOf: (form: FormData) => [string, FormDataEntryValue][];

/** Whether the value is a FormData, whatever its prototype says. */
export let isFormData: (value: unknown) => value is FormData;

export class FormData {
  #entries: [string, FormDataEntryValue][] = [];

  constructor(form: undefined | undefined = undefined) {
    if (form !== undefined) throw new TypeError("FormData() takes no form here: there are no documents");
  }

  static {
    entriesOf = (form) => form.#entries;
    isFormData = (value): value is FormData => typeof value === "object" && value !== null && #entries in value;
  }

  append(name: string, value: string | Blob, filename: string | undefined = undefined): void {
    const entries = this.#entries;
    required(arguments.length, 2, "append()");
    entries.push(entry("append()", name, value, arguments.length > 2, filename));
  }

  delete(name: string): void {
    required(arguments.length, 1, "delete()");
    const key = usvString(name);
    this.#entries = this.#entries.filter((pair) => pair[0] !== key);
  }

  get(name: string): FormDataEntryValue | null {
    const entries = this.#entries;
    required(arguments.length, 1, "get()");
    const key = usvString(name);
    for (const pair of entries) if (pair[0] === key) return pair[1];
    return null;
  }

  getAll(name: string): FormDataEntryValue[] {
    const entries = this.#entries;
    required(arguments.length, 1, "getAll()");
    const key = usvString(name);
    return entries.filter((pair) => pair[0] === key).map((pair) => pair[1]);
  }

  has(name: string): boolean {
    const entries = this.#entries;
    required(arguments.length, 1, "has()");
    const key = usvString(name);
    return entries.some((pair) => pair[0] === key);
  }

  set(name: string, value: string | Blob, filename: string | undefined = undefined): void {
    const entries = this.#entries;
    required(arguments.length, 2, "set()");
    const fresh = entry("set()", name, value, arguments.length > 2, filename);
    const at = entries.findIndex((pair) => pair[0] === fresh[0]);
    if (at < 0) {
      entries.push(fresh);
      return;
    }
    entries[at] = fresh;
    this.#entries = entries.filter((pair, i) => i <= at || pair[0] !== fresh[0]);
  }
}
export interface FormData extends PairIterable<FormDataEntryValue> {}
defineInterface(FormData, "FormData");
definePairIterable(FormData.prototype, "FormData", entriesOf!);

/** https://html.spec.whatwg.org/#create-an-entry */
function entry(what: string, name: string, value: unknown, named: boolean, filename: string | undefined): [string, FormDataEntryValue] {
  const key = usvString(name);
  if (!isBlob(value)) {
    if (named) throw new TypeError(`${what} takes a file name for a Blob only`);
    return [key, usvString(value)];
  }
  if (isFile(value) && (!named || filename === undefined)) return [key, value];
  const file = new File([value as Blob], named && filename !== undefined ? usvString(filename) : "blob", { type: value.type, ...(isFile(value) ? { lastModified: value.lastModified } : {}) });
  return [key, file];
}
