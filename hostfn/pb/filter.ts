// Filters with bound parameters.

function quote(name: string, text: string): string {
  // In PocketBase's filter syntax a backslash before a quote always escapes it, so nothing can stand for a backslash at the end.
  if (text.endsWith("\\")) {
    throw new TypeError(`the filter parameter ${name} ends with a backslash, which PocketBase's filter syntax cannot express`);
  }
  return `'${text.replaceAll("'", "\\'")}'`;
}

function literal(name: string, value: unknown): string {
  switch (typeof value) {
    case "boolean":
    case "bigint":
      return String(value);
    case "number":
      if (!Number.isFinite(value)) throw new TypeError(`the filter parameter ${name} is ${value}, which is no number that a filter can have`);
      return String(value);
    case "string":
      return quote(name, value);
    case "object":
      if (value === null) return "null";
      if (value instanceof Date) return `'${value.toISOString().replace("T", " ")}'`;
      return quote(name, JSON.stringify(value));
  }
  throw new TypeError(`the filter parameter ${name} is ${typeof value === "undefined" ? "undefined" : `a ${typeof value}`}`);
}

const placeholder = /\{:([^{}]+)\}/g;

/** Puts parameters into the places {:name} of a filter, once: a value is never searched for further places. */
export function filter(expression: string, params?: Record<string, unknown>): string {
  if (typeof expression !== "string") throw new TypeError(`pb.filter() takes the expression as a string, not ${expression === null ? "null" : typeof expression}`);
  if (params === undefined || params === null) return expression;
  if (typeof params !== "object") throw new TypeError("pb.filter() takes the parameters as an object");
  return expression.replace(placeholder, (all, name: string) => Object.hasOwn(params, name) ? literal(name, params[name]) : all);
}
