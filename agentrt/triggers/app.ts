// What a bundle brings: its modules by kind and file. The generated entry of a
// bundle hands them over through the symbol "agentrt.mount", once.

export type Module = Record<string, unknown>;

export interface App {
  routes: Record<string, Module>;
  hooks: Record<string, Module>;
  workers: Record<string, Module>;
  crons: Record<string, Module>;
}

const empty = (): Record<string, Module> => Object.create(null);

export const app: App = { routes: empty(), hooks: empty(), workers: empty(), crons: empty() };

const symbol = Symbol.for("agentrt.mount");

export function offerMount(): void {
  Object.defineProperty(globalThis, symbol, {
    configurable: true,
    value(mounted: Partial<App>) {
      Reflect.deleteProperty(globalThis, symbol);
      for (const kind of ["routes", "hooks", "workers", "crons"] as const) {
        for (const [file, module] of Object.entries(mounted[kind] ?? {})) app[kind][file] = module;
      }
    },
  });
}

export function modulesOf(kind: string): Record<string, Module> {
  const modules = (app as unknown as Record<string, Record<string, Module>>)[kind];
  if (!modules) throw new TypeError(`there are no modules of the kind "${kind}"`);
  return modules;
}

// A handler by "kind/file.ts#export"; the export is "default" if not named.
export function findHandler(name: string): (...args: unknown[]) => unknown {
  const [path, exported = "default"] = name.split("#", 2) as [string, string?];
  const kind = path.slice(0, path.indexOf("/"));
  const module = modulesOf(kind)[path];
  if (!module) {
    const known = Object.keys(modulesOf(kind));
    throw new TypeError(`there is no file "${path}" in the bundle (${kind}: ${known.join(", ") || "none"})`);
  }
  const fn = module[exported!];
  if (typeof fn !== "function") throw new TypeError(`${path} exports no function "${exported}"`);
  return fn as (...args: unknown[]) => unknown;
}
