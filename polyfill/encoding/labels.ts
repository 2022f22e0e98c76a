// https://encoding.spec.whatwg.org/#names-and-labels

import { host } from "../host.ts";
import { RangeErrorCtor } from "../streams/intrinsics.ts";

const labelOp = host.op<string>("encoding.label");

// The encodings decoded here; Go knows the labels of the others.
const labels: Record<string, readonly string[]> = {
  "utf-8": ["unicode-1-1-utf-8", "unicode11utf8", "unicode20utf8", "utf-8", "utf8", "x-unicode20utf8"],
  "utf-16be": ["unicodefffe", "utf-16be"],
  "utf-16le": ["csunicode", "iso-10646-ucs-2", "ucs-2", "unicode", "unicodefeff", "utf-16", "utf-16le"],
  "windows-1252": [
    "ansi_x3.4-1968", "ascii", "cp1252", "cp819", "csisolatin1", "ibm819", "iso-8859-1", "iso-ir-100", "iso8859-1", "iso88591",
    "iso_8859-1", "iso_8859-1:1987", "l1", "latin1", "us-ascii", "windows-1252", "x-cp1252",
  ],
};

const encodings = new Map<string, string>();
for (const encoding in labels) for (const label of labels[encoding]!) encodings.set(label, encoding);
const lookup = encodings.get.bind(encodings);

/** No label of the standard is longer. */
const maxLabel = 32;

function isSpace(c: number): boolean {
  return c === 0x20 || c === 0x09 || c === 0x0a || c === 0x0c || c === 0x0d;
}

const { charCodeAt, slice, toLowerCase } = String.prototype;
const { apply } = Reflect;

/** The name of the encoding that a label stands for; RangeError if there is none here. */
export function encodingOf(label: string): string {
  const known = lookup(label);
  if (known !== undefined) return known;
  let start = 0;
  let end = label.length;
  while (start < end && isSpace(apply(charCodeAt, label, [start]))) start++;
  while (end > start && isSpace(apply(charCodeAt, label, [end - 1]))) end--;
  const trimmed = apply(slice, label, [start, end]) as string;
  // Only ASCII letters may be folded; the Kelvin sign, for one, would become a "k".
  const folded = isAscii(trimmed) ? apply(toLowerCase, trimmed, []) as string : "";
  const encoding = lookup(folded) ?? (folded === "" || folded.length > maxLabel ? "" : labelOp(folded));
  if (encoding === "" || encoding === "replacement") throw new RangeErrorCtor(`"${apply(slice, label, [0, maxLabel]) as string}" is not the label of an encoding, such as utf-8, windows-1252 or shift_jis`);
  return encoding;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (apply(charCodeAt, text, [i]) > 0x7f) return false;
  return true;
}
