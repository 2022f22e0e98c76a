// Errors with Node's codes.

export function nodeError<T extends Error>(Type: new (message: string) => T, code: string, message: string): T & { code: string } {
  const error = new Type(message) as T & { code: string };
  Object.defineProperty(error, "code", { value: code, writable: true, enumerable: true, configurable: true });
  return error;
}

export function invalidArgType(name: string, expected: string, value: unknown): TypeError {
  const kind = /[ .]/.test(name) && !name.includes(" ") ? "property" : "argument";
  return nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The "${name}" ${kind} must be ${expected}. Received ${received(value)}`);
}

function received(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value === "object") return value.constructor?.name ? `an instance of ${value.constructor.name}` : "an object";
  const text = typeof value === "string" ? `'${value.length > 25 ? `${value.slice(0, 25)}...` : value}'` : typeof value === "bigint" ? `${value}n` : String(value);
  return `type ${typeof value} (${text})`;
}

/** https://nodejs.org/api/errors.html#class-aborterror */
export class AbortError extends Error {
  readonly code = "ABORT_ERR";
  constructor(message = "The operation was aborted", options?: ErrorOptions) {
    super(message, options);
    this.name = "AbortError";
  }
}

/** Throws unless the value is a function. */
export function checkFunction(value: unknown, name: string): asserts value is (...args: any[]) => any {
  if (typeof value !== "function") throw invalidArgType(name, "of type function", value);
}
