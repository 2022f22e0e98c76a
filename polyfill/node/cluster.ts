// https://nodejs.org/api/cluster.html, of which nothing works here: it only imports.
import { unavailableAll, unavailableClass } from "./unavailable.ts";

export const Worker = /* @__PURE__ */ unavailableClass("cluster", "Worker", ["postMessage", "terminate"]);
export const isMaster = true;
export const isPrimary = true;
export const isWorker = false;
export const workers = {};
export const settings = {};
export const SCHED_NONE = 1;
export const SCHED_RR = 2;
export const schedulingPolicy = 2;

export const {
  setupPrimary, setupMaster, fork, disconnect,
} = /* @__PURE__ */ unavailableAll("cluster", [
  "setupPrimary", "setupMaster", "fork", "disconnect",
]);
export * as default from "./cluster.ts";
