// https://nodejs.org/api/querystring.html

export function escape(value: unknown): string { return encodeURIComponent(String(value)); }

/** Percent-decodes as far as the text is well formed. */
export function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replace(/(?:%[0-9a-fA-F]{2})+/g, (run) => {
      try {
        return decodeURIComponent(run);
      } catch {
        return run.replace(/%[0-9a-fA-F]{2}/g, (code) => (parseInt(code.slice(1), 16) < 128 ? String.fromCharCode(parseInt(code.slice(1), 16)) : "\ufffd"));
      }
    });
  }
}

interface Options {
  decodeURIComponent?: (text: string) => string;
  encodeURIComponent?: (text: string) => string;
  maxKeys?: number;
}

/** At most maxKeys pairs, 1,000 by default, 0 for all. */
export function parse(text: string, separator = "&", equals = "=", options: Options = {}): Record<string, string | string[]> {
  const out: Record<string, string | string[]> = Object.create(null);
  if (typeof text !== "string" || text === "") return out;
  const decode = options.decodeURIComponent ?? unescape;
  const max = options.maxKeys ?? 1000;
  let pairs = text.split(separator || "&").filter((pair) => pair !== "");
  if (max > 0) pairs = pairs.slice(0, max);
  for (const pair of pairs) {
    const at = pair.indexOf(equals || "=");
    const name = decode((at < 0 ? pair : pair.slice(0, at)).replaceAll("+", " "));
    const value = at < 0 ? "" : decode(pair.slice(at + (equals || "=").length).replaceAll("+", " "));
    const known = out[name];
    if (known === undefined) out[name] = value;
    else if (Array.isArray(known)) known.push(value);
    else out[name] = [known, value];
  }
  return out;
}

function primitive(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
      return Number.isFinite(value) ? String(value) : "";
    case "bigint":
    case "boolean":
      return String(value);
  }
  return "";
}

export function stringify(values: Record<string, unknown>, separator = "&", equals = "=", options: Options = {}): string {
  if (typeof values !== "object" || values === null) return "";
  const encode = options.encodeURIComponent ?? escape;
  const pairs: string[] = [];
  for (const name of Object.keys(values)) {
    const value = values[name];
    for (const item of Array.isArray(value) ? value : [value]) pairs.push(`${encode(name)}${equals}${encode(primitive(item))}`);
  }
  return pairs.join(separator);
}

export { parse as decode, stringify as encode };
export default { parse, stringify, decode: parse, encode: stringify, escape, unescape };
