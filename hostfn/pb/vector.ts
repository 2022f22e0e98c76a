// vectorSearch and hybridSearch: their options as the body and the query of the Web API.

import { filter } from "./filter.ts";

type Options = Record<string, any>;

// What a search sends in its body; expand, fields and the rest go into the query.
const inBody = ["vector", "text", "field", "top", "minScore", "recall", "exact", "weights"];
const elsewhere = new Set([...inBody, "filter", "params", "expand", "fields", "query", "headers", "signal"]);

const isArray = Array.isArray;
const isView = ArrayBuffer.isView;

function numbers(vector: any): unknown {
  if (isView(vector) && !(vector instanceof DataView)) return Array.from(vector as unknown as Iterable<number>, plain);
  return isArray(vector) ? vector.map(plain) : vector;
}

// JSON would make null of them.
function plain(x: unknown): unknown {
  return typeof x !== "number" || Number.isFinite(x) ? x : String(x);
}

/** The body of a search; name is the method's, for errors. */
export function searchBody(name: string, options: Options): Options {
  if (options === null || typeof options !== "object") throw new TypeError(`${name}() takes an object with a vector or a text`);
  for (const key of Object.keys(options)) {
    if (!elsewhere.has(key)) throw new TypeError(`${name}() has no option "${key}"`);
  }
  const body: Options = {};
  for (const key of inBody) {
    const value = options[key];
    if (value !== undefined && value !== null) body[key] = key === "vector" ? numbers(value) : value;
  }
  if (options.filter) body.filter = filter(options.filter, options.params);
  return body;
}

/** The options that go into the query. */
export function searchQuery({ expand, fields, query }: Options): Options {
  return { expand: isArray(expand) ? expand.join(",") : expand, fields: isArray(fields) ? fields.join(",") : fields, ...query };
}
