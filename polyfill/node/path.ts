// https://nodejs.org/api/path.html, POSIX only. The working directory is "/".
import { invalidArgType } from "./errors.ts";

function check(path: unknown, name = "path"): asserts path is string {
  if (typeof path !== "string") throw invalidArgType(name, "of type string", path);
}

/** Resolves "." and ".." in a list of segments; ".." above the root of an absolute path goes away. */
function resolveSegments(path: string, absolute: boolean): string {
  const out: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment !== "..") out.push(segment);
    else if (out.length > 0 && out.at(-1) !== "..") out.pop();
    else if (!absolute) out.push("..");
  }
  return out.join("/");
}

export const sep = "/";
export const delimiter = ":";

export function isAbsolute(path: string): boolean {
  check(path);
  return path.startsWith("/");
}

export function normalize(path: string): string {
  check(path);
  if (path === "") return ".";
  const absolute = path.startsWith("/");
  let out = resolveSegments(path, absolute);
  if (out === "" && !absolute) out = ".";
  if (out !== "" && path.endsWith("/")) out += "/";
  return absolute ? `/${out}` : out;
}

export function join(...paths: string[]): string {
  for (const path of paths) check(path);
  const joined = paths.filter((path) => path !== "").join("/");
  return joined === "" ? "." : normalize(joined);
}

export function resolve(...paths: string[]): string {
  let full = "";
  for (let i = paths.length - 1; i >= 0 && !full.startsWith("/"); i--) {
    const path = paths[i];
    check(path, `paths[${i}]`);
    if (path !== "") full = full === "" ? path : `${path}/${full}`;
  }
  return `/${resolveSegments(full, true)}`;
}

function stripSlashes(path: string): string {
  let end = path.length;
  while (end > 1 && path[end - 1] === "/") end--;
  return path.slice(0, end);
}

export function dirname(path: string): string {
  check(path);
  if (path === "") return ".";
  const trimmed = stripSlashes(path);
  const slash = trimmed.lastIndexOf("/");
  if (slash < 0) return ".";
  if (slash === 0) return "/";
  return slash === 1 && trimmed.startsWith("//") ? "//" : trimmed.slice(0, slash);
}

export function basename(path: string, suffix?: string): string {
  check(path);
  if (suffix !== undefined) check(suffix, "suffix");
  const trimmed = stripSlashes(path);
  const base = trimmed === "/" ? "" : trimmed.slice(trimmed.lastIndexOf("/") + 1);
  return suffix !== undefined && suffix !== "" && base !== suffix && base.endsWith(suffix) ? base.slice(0, -suffix.length) : base;
}

export function extname(path: string): string {
  const base = basename(path);
  const dot = base.lastIndexOf(".");
  return dot <= 0 || base === ".." ? "" : base.slice(dot);
}

export function relative(from: string, to: string): string {
  check(from, "from");
  check(to, "to");
  const a = resolve(from).split("/").filter(Boolean);
  const b = resolve(to).split("/").filter(Boolean);
  let common = 0;
  while (common < a.length && common < b.length && a[common] === b[common]) common++;
  return [...a.slice(common).map(() => ".."), ...b.slice(common)].join("/");
}

export interface ParsedPath { root: string; dir: string; base: string; ext: string; name: string }

export function parse(path: string): ParsedPath {
  check(path);
  const root = path.startsWith("/") ? "/" : "";
  const base = basename(path);
  const ext = extname(base);
  const trimmed = stripSlashes(path);
  const slash = trimmed.lastIndexOf("/");
  const dir = slash < 0 ? "" : slash === 0 ? "/" : trimmed.slice(0, slash);
  return { root, dir: base === "" ? root : dir, base, ext, name: ext === "" ? base : base.slice(0, -ext.length) };
}

export function format(path: Partial<ParsedPath>): string {
  if (typeof path !== "object" || path === null) throw invalidArgType("pathObject", "of type object", path);
  const dir = path.dir || path.root;
  const ext = path.ext ? (path.ext.startsWith(".") ? path.ext : `.${path.ext}`) : "";
  const base = path.base || `${path.name ?? ""}${ext}`;
  if (!dir) return base;
  return dir === path.root ? `${dir}${base}` : `${dir}/${base}`;
}

export function toNamespacedPath(path: string): string { return path; }

const posix: Record<string, unknown> = { sep, delimiter, isAbsolute, normalize, join, resolve, dirname, basename, extname, relative, parse, format, toNamespacedPath };
posix["posix"] = posix;
/** There are no Windows paths here; code that only looks at path.win32.sep and the like finds it. */
const win32 = { ...posix, sep: "\\", delimiter: ";" };
posix["win32"] = win32;
export { posix, win32 };
export default posix;
