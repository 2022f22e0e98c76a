// https://nodejs.org/api/url.html: the global classes, file URLs, and the legacy parser for common URLs.
import { invalidArgType, nodeError } from "./errors.ts";
import * as querystring from "./querystring.ts";

interface URLLike {
  href: string; protocol: string; username: string; password: string; host: string; hostname: string; port: string; pathname: string; search: string; hash: string;
}
const scope = globalThis as unknown as { URL: new (url: string, base?: string) => URLLike; URLSearchParams: new (init?: any) => unknown };

export const { URL, URLSearchParams } = scope;

export function fileURLToPath(url: string | URLLike): string {
  const parsed = typeof url === "string" ? new URL(url) : url;
  if (typeof parsed?.href !== "string") throw invalidArgType("path", "of type string or an instance of URL", url);
  if (parsed.protocol !== "file:") throw nodeError(TypeError, "ERR_INVALID_URL_SCHEME", "The URL must be of scheme file");
  if (parsed.hostname !== "") throw nodeError(TypeError, "ERR_INVALID_FILE_URL_HOST", 'File URL host must be "localhost" or empty on linux');
  if (/%2f/i.test(parsed.pathname)) throw nodeError(TypeError, "ERR_INVALID_FILE_URL_PATH", "File URL path must not include encoded / characters");
  return decodeURIComponent(parsed.pathname);
}

export function pathToFileURL(path: string): URLLike {
  if (typeof path !== "string") throw invalidArgType("path", "of type string", path);
  const absolute = path.startsWith("/") ? path : `/${path}`;
  return new URL(`file://${absolute.replace(/[%\\\n\r\t?#]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`)}`);
}

export function urlToHttpOptions(url: URLLike): Record<string, unknown> {
  const { protocol, hostname, hash, search, pathname, href, port, username, password } = url;
  return {
    protocol, hostname: hostname.startsWith("[") ? hostname.slice(1, -1) : hostname, hash, search, pathname, path: `${pathname}${search}`, href,
    ...(port === "" ? {} : { port: Number(port) }),
    ...(username || password ? { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` } : {}),
  };
}

export function domainToASCII(domain: string): string {
  try {
    return new URL(`ws://${domain}`).hostname;
  } catch {
    return "";
  }
}
/** Without a decoder for Punycode, the name stays as it is. */
export function domainToUnicode(domain: string): string { return domainToASCII(domain); }

/** The object of the legacy API. */
export class Url {
  protocol: string | null = null;
  slashes: boolean | null = null;
  auth: string | null = null;
  host: string | null = null;
  port: string | null = null;
  hostname: string | null = null;
  hash: string | null = null;
  search: string | null = null;
  query: unknown = null;
  pathname: string | null = null;
  path: string | null = null;
  href = "";
}

/** Splits without validating: [protocol] [//[auth@]host] [path] [?query] [#hash]. */
export function parse(input: string | Url, parseQuery = false, slashesDenoteHost = false): Url {
  if (input instanceof Url) return input;
  if (typeof input !== "string") throw invalidArgType("url", "of type string", input);
  const url = new Url();
  const match = /^([a-zA-Z][a-zA-Z0-9+.-]*:)?(\/\/)?([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(input.trim())!;
  const protocol = match[1]?.toLowerCase();
  let rest = match[3]!;
  url.protocol = protocol ?? null;
  if (match[2] && (protocol !== undefined || slashesDenoteHost)) {
    url.slashes = true;
    const slash = rest.indexOf("/");
    let authority = slash < 0 ? rest : rest.slice(0, slash);
    rest = slash < 0 ? "" : rest.slice(slash);
    const at = authority.lastIndexOf("@");
    if (at >= 0) {
      url.auth = decodeURIComponent(authority.slice(0, at));
      authority = authority.slice(at + 1);
    }
    const port = /:(\d*)$/.exec(authority);
    if (port?.[1]) url.port = port[1];
    const name = port === null ? authority : authority.slice(0, port.index);
    url.hostname = (name.startsWith("[") ? name.slice(1, -1) : name).toLowerCase();
    url.host = `${name.toLowerCase()}${url.port === null ? "" : `:${url.port}`}`;
    if (rest === "" && /^(https?|ftp|wss?|file):$/.test(protocol ?? "")) rest = "/";
  } else if (match[2]) rest = `//${rest}`;
  url.pathname = rest === "" ? null : rest;
  url.search = match[4] ?? (parseQuery ? "" : null);
  url.query = parseQuery ? querystring.parse((match[4] ?? "").slice(1)) : match[4]?.slice(1) ?? null;
  url.hash = match[5] ?? null;
  url.path = url.pathname !== null || url.search ? `${url.pathname ?? ""}${url.search ?? ""}` : null;
  url.href = format(url);
  return url;
}

export function format(value: any, options: { fragment?: boolean; search?: boolean; auth?: boolean } = {}): string {
  if (typeof value === "string") return parse(value).href;
  if (value instanceof URL) {
    const copy = new URL(value.href);
    if (options.fragment === false) copy.hash = "";
    if (options.search === false) copy.search = "";
    if (options.auth === false) copy.username = copy.password = "";
    return copy.href;
  }
  if (typeof value !== "object" || value === null) throw invalidArgType("urlObject", "one of type object or string", value);
  let protocol = value.protocol ?? "";
  if (protocol && !protocol.endsWith(":")) protocol += ":";
  const auth = value.auth ? `${encodeURIComponent(value.auth).replace(/%3A/i, ":")}@` : "";
  let host: string | undefined = value.host;
  if (!host && value.hostname) host = `${value.hostname.includes(":") ? `[${value.hostname}]` : value.hostname}${value.port ? `:${value.port}` : ""}`;
  let pathname: string = value.pathname ?? "";
  const slashes = value.slashes || (host !== undefined && /^(https?|ftp|wss?|file):$/.test(protocol));
  if (slashes && pathname !== "" && !pathname.startsWith("/")) pathname = `/${pathname}`;
  let search: string = value.search ?? (typeof value.query === "object" && value.query !== null && Object.keys(value.query).length > 0 ? querystring.stringify(value.query) : "");
  if (search && !search.startsWith("?")) search = `?${search}`;
  let hash: string = value.hash ?? "";
  if (hash && !hash.startsWith("#")) hash = `#${hash}`;
  return `${protocol}${slashes ? "//" : ""}${host ? `${auth}${host}` : ""}${pathname.replace(/[?#]/g, encodeURIComponent)}${search.replaceAll("#", "%23")}${hash}`;
}

export function resolve(from: string, to: string): string {
  const resolved = new URL(to, new URL(from, "resolve://").href);
  if (resolved.protocol !== "resolve:") return resolved.href;
  return `${resolved.pathname}${resolved.search}${resolved.hash}`;
}
export function resolveObject(from: string, to: string): Url { return parse(resolve(from, to)); }

export default { URL, URLSearchParams, Url, fileURLToPath, pathToFileURL, urlToHttpOptions, domainToASCII, domainToUnicode, parse, format, resolve, resolveObject };
