// https://nodejs.org/api/child_process.html, of which nothing works here: it only imports.
import { unavailableAll, unavailableClass } from "./unavailable.ts";

export const ChildProcess = /* @__PURE__ */ unavailableClass("child_process", "ChildProcess");

export const {
  exec, execFile, execFileSync, execSync, fork, spawn, spawnSync,
} = /* @__PURE__ */ unavailableAll("child_process", [
  "exec", "execFile", "execFileSync", "execSync", "fork", "spawn", "spawnSync",
]);
export * as default from "./child_process.ts";
