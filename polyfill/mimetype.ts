// https://mimesniff.spec.whatwg.org/#parsing-a-mime-type, as far as bodies need it

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export interface MimeType {
  /** "type/subtype" in lower case */
  essence: string;
  parameters: Map<string, string>;
}

/** Parses a MIME type; null if it is none. */
export function parseMimeType(text: string): MimeType | null {
  const semicolon = text.indexOf(";");
  const essence = (semicolon < 0 ? text : text.slice(0, semicolon)).trim();
  const slash = essence.indexOf("/");
  if (slash < 0 || !token.test(essence.slice(0, slash)) || !token.test(essence.slice(slash + 1))) return null;
  const parameters = new Map<string, string>();
  let at = semicolon;
  while (at >= 0 && at < text.length) {
    at++;
    const equals = text.indexOf("=", at);
    const end = text.indexOf(";", at);
    if (equals < 0) break;
    if (end >= 0 && end < equals) {
      at = end;
      continue;
    }
    const name = text.slice(at, equals).trim().toLowerCase();
    let value: string;
    if (text[equals + 1] === '"') {
      [value, at] = quoted(text, equals + 2);
      at = text.indexOf(";", at);
    } else {
      value = text.slice(equals + 1, end < 0 ? text.length : end).trim();
      at = end;
      if (value === "") continue;
    }
    if (token.test(name) && !parameters.has(name)) parameters.set(name, value);
  }
  return { essence: essence.toLowerCase(), parameters };
}

function quoted(text: string, at: number): [string, number] {
  let value = "";
  for (; at < text.length && text[at] !== '"'; at++) {
    if (text[at] === "\\" && at + 1 < text.length) at++;
    value += text[at];
  }
  return [value, at];
}

/** The text of a MIME type. https://mimesniff.spec.whatwg.org/#serializing-a-mime-type */
export function serializeMimeType(type: MimeType): string {
  let out = type.essence;
  for (const [name, value] of type.parameters) out += `;${name}=${token.test(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`}`;
  return out;
}
