// Pattern strings of https://urlpattern.spec.whatwg.org/: from text to tokens, to parts, to a regular expression and back.

export type TokenType = "open" | "close" | "regexp" | "name" | "char" | "escaped-char" | "other-modifier" | "asterisk" | "end" | "invalid-char";

export interface Token {
  type: TokenType;
  /** Where it begins, in code units. */
  index: number;
  value: string;
}

const nameStart = /^[$_\p{ID_Start}]$/u;
const namePart = /^[$_\u200c\u200d\p{ID_Continue}]$/u;

/** https://urlpattern.spec.whatwg.org/#tokenize-a-pattern-string; lenient makes errors invalid characters. */
export function tokenize(input: string, lenient: boolean): Token[] {
  const points = [...input];
  const offsets: number[] = [];
  let offset = 0;
  for (const point of points) {
    offsets.push(offset);
    offset += point.length;
  }
  offsets.push(offset);
  const tokens: Token[] = [];
  const add = (type: TokenType, at: number, value: string) => tokens.push({ type, index: offsets[at]!, value });
  let i = 0;
  const wrong = (at: number, next: number, why: string) => {
    if (!lenient) throw new TypeError(`The pattern ${JSON.stringify(input)} is invalid at ${offsets[at]}: ${why}`);
    add("invalid-char", at, points.slice(at, next).join(""));
    i = next;
  };
  const simple: Record<string, TokenType> = { "*": "asterisk", "+": "other-modifier", "?": "other-modifier", "{": "open", "}": "close" };
  while (i < points.length) {
    const c = points[i]!;
    if (Object.hasOwn(simple, c)) {
      add(simple[c]!, i, c);
      i++;
    } else if (c === "\\") {
      if (i === points.length - 1) {
        wrong(i, i + 1, "a backslash needs a character after it");
        continue;
      }
      add("escaped-char", i, points[i + 1]!);
      i += 2;
    } else if (c === ":") {
      let end = i + 1;
      while (end < points.length && (end === i + 1 ? nameStart : namePart).test(points[end]!)) end++;
      if (end === i + 1) {
        wrong(i, i + 1, "a colon needs a name after it, or a backslash before it");
        continue;
      }
      add("name", i, points.slice(i + 1, end).join(""));
      i = end;
    } else if (c === "(") {
      regexp();
    } else {
      add("char", i, c);
      i++;
    }
  }
  add("end", points.length, "");
  return tokens;

  function regexp(): void {
    const start = i + 1;
    let depth = 1;
    let at = start;
    for (; at < points.length; at++) {
      const c = points[at]!;
      if (c > "\x7f") return wrong(i, at, "a regular expression has ASCII characters only");
      if (at === start && c === "?") return wrong(i, at, "a regular expression begins with a question mark");
      if (c === "\\") {
        if (at === points.length - 1) return wrong(i, at, "the regular expression is not closed");
        at++;
        if (points[at]! > "\x7f") return wrong(i, at, "a regular expression has ASCII characters only");
      } else if (c === ")") {
        if (--depth === 0) break;
      } else if (c === "(") {
        depth++;
        if (at === points.length - 1) return wrong(i, at, "the regular expression is not closed");
        if (points[at + 1] !== "?") return wrong(i, at, "groups inside a regular expression begin with ?: or the like");
      }
    }
    if (depth !== 0) return wrong(i, i + 1, "the regular expression is not closed");
    if (at === start) return wrong(i, at, "the regular expression is empty");
    add("regexp", i, points.slice(start, at).join(""));
    i = at + 1;
  }
}

export type Modifier = "" | "?" | "*" | "+";

export interface Part {
  type: "fixed" | "regexp" | "segment" | "full";
  value: string;
  modifier: Modifier;
  name: string;
  prefix: string;
  suffix: string;
}

export interface PatternOptions {
  delimiter: string;
  prefix: string;
}

/** The engine takes punctuation that is reserved in classes of the flag v for an error outside of them, too; it goes in as numbers. */
function escapeRegExp(text: string): string {
  return text.replace(/[.+*?^${}()[\]|/\\]/g, "\\$&").replace(/[-&!#%,:;<=>@`~]/g, (c) => `\\x${c.charCodeAt(0).toString(16)}`);
}

/** https://urlpattern.spec.whatwg.org/#escape-a-pattern-string */
export function escapePattern(text: string): string {
  return text.replace(/[+*?:{}()\\]/g, "\\$&");
}

function segmentWildcard(options: PatternOptions): string {
  return `[^${escapeRegExp(options.delimiter)}]+?`;
}

const fullWildcard = ".*";

/** https://urlpattern.spec.whatwg.org/#parse-a-pattern-string */
export function parsePattern(input: string, options: PatternOptions, encode: (text: string) => string): Part[] {
  const tokens = tokenize(input, false);
  const segment = segmentWildcard(options);
  const parts: Part[] = [];
  const names = new Set<string>();
  let pending = "";
  let number = 0;
  let at = 0;
  const take = (...types: TokenType[]): Token | null => (types.includes(tokens[at]!.type) ? tokens[at++]! : null);
  const expect = (type: TokenType) => {
    const token = tokens[at]!;
    if (take(type) === null) throw new TypeError(`The pattern ${JSON.stringify(input)} is invalid at ${token.index}: ${token.type === "end" ? "a group is not closed" : `${JSON.stringify(token.value)} has no meaning there`}`);
  };
  const takeExpression = (name: Token | null) => take("regexp") ?? (name === null ? take("asterisk") : null);
  const takeText = () => {
    let text = "";
    for (let token = take("char", "escaped-char"); token !== null; token = take("char", "escaped-char")) text += token.value;
    return text;
  };
  const flush = () => {
    if (pending === "") return;
    parts.push({ type: "fixed", value: encode(pending), modifier: "", name: "", prefix: "", suffix: "" });
    pending = "";
  };
  const add = (prefix: string, name: Token | null, expression: Token | null, suffix: string, modifierToken: Token | null) => {
    const modifier = (modifierToken?.value ?? "") as Modifier;
    if (name === null && expression === null && modifier === "") {
      pending += prefix;
      return;
    }
    flush();
    if (name === null && expression === null) {
      if (prefix !== "") parts.push({ type: "fixed", value: encode(prefix), modifier, name: "", prefix: "", suffix: "" });
      return;
    }
    let value = expression === null ? segment : expression.type === "asterisk" ? fullWildcard : expression.value;
    let type: Part["type"] = "regexp";
    if (value === segment) type = "segment";
    else if (value === fullWildcard) type = "full";
    if (type !== "regexp") value = "";
    const key = name !== null ? name.value : String(number++);
    if (names.has(key)) throw new TypeError(`The pattern ${JSON.stringify(input)} has two groups named ${key}`);
    names.add(key);
    parts.push({ type, value, modifier, name: key, prefix: encode(prefix), suffix: encode(suffix) });
  };
  while (at < tokens.length) {
    const char = take("char");
    let name = take("name");
    let expression = takeExpression(name);
    if (name !== null || expression !== null) {
      let prefix = char?.value ?? "";
      if (prefix !== "" && prefix !== options.prefix) {
        pending += prefix;
        prefix = "";
      }
      flush();
      add(prefix, name, expression, "", take("other-modifier", "asterisk"));
      continue;
    }
    const fixed = char ?? take("escaped-char");
    if (fixed !== null) {
      pending += fixed.value;
      continue;
    }
    if (take("open") !== null) {
      const prefix = takeText();
      name = take("name");
      expression = takeExpression(name);
      const suffix = takeText();
      expect("close");
      add(prefix, name, expression, suffix, take("other-modifier", "asterisk"));
      continue;
    }
    flush();
    expect("end");
  }
  return parts;
}

/** https://urlpattern.spec.whatwg.org/#generate-a-regular-expression-and-name-list */
export function toRegExp(parts: readonly Part[], options: PatternOptions): { source: string; names: string[] } {
  let source = "^";
  const names: string[] = [];
  for (const { type, value, modifier, name, prefix, suffix } of parts) {
    if (type === "fixed") {
      source += modifier === "" ? escapeRegExp(value) : `(?:${escapeRegExp(value)})${modifier}`;
      continue;
    }
    names.push(name);
    const inner = type === "segment" ? segmentWildcard(options) : type === "full" ? fullWildcard : value;
    const before = escapeRegExp(prefix);
    const after = escapeRegExp(suffix);
    const repeats = modifier === "*" || modifier === "+";
    if (prefix === "" && suffix === "") source += repeats ? `((?:${inner})${modifier})` : `(${inner})${modifier}`;
    else if (!repeats) source += `(?:${before}(${inner})${after})${modifier}`;
    else source += `(?:${before}((?:${inner})(?:${after}${before}(?:${inner}))*)${after})${modifier === "*" ? "?" : ""}`;
  }
  return { source: `${source}$`, names };
}

/** https://urlpattern.spec.whatwg.org/#generate-a-pattern-string */
export function toPattern(parts: readonly Part[], options: PatternOptions): string {
  let out = "";
  for (let i = 0; i < parts.length; i++) {
    const { type, value, modifier, name, prefix, suffix } = parts[i]!;
    const last = parts[i - 1];
    const next = parts[i + 1];
    if (type === "fixed") {
      out += modifier === "" ? escapePattern(value) : `{${escapePattern(value)}}${modifier}`;
      continue;
    }
    const custom = !/^[0-9]/.test(name);
    let group = suffix !== "" || (prefix !== "" && prefix !== options.prefix);
    if (!group && custom && type === "segment" && modifier === "" && next !== undefined && next.prefix === "" && next.suffix === "") {
      group = next.type === "fixed" ? namePart.test([...next.value][0] ?? "") : /^[0-9]/.test(next.name);
    }
    if (!group && prefix === "" && last?.type === "fixed" && options.prefix !== "" && last.value.endsWith(options.prefix)) group = true;
    if (group) out += "{";
    out += escapePattern(prefix);
    if (custom) out += `:${name}`;
    if (type === "regexp") out += `(${value})`;
    else if (type === "segment" && !custom) out += `(${segmentWildcard(options)})`;
    else if (type === "full") out += !custom && (last === undefined || last.type === "fixed" || last.modifier !== "" || group || prefix !== "") ? "*" : `(${fullWildcard})`;
    if (type === "segment" && custom && namePart.test([...suffix][0] ?? "")) out += "\\";
    out += escapePattern(suffix);
    if (group) out += "}";
    out += modifier;
  }
  return out;
}
