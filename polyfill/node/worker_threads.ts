// https://nodejs.org/api/worker_threads.html: the global message channels; there are no threads.
import { unavailableAll, unavailableClass } from "./unavailable.ts";

export const { MessageChannel, MessagePort } = globalThis as unknown as Record<string, any>;
export const Worker = /* @__PURE__ */ unavailableClass("worker_threads", "Worker", ["postMessage", "terminate"]);
export const BroadcastChannel = /* @__PURE__ */ unavailableClass("worker_threads", "BroadcastChannel");
export const isMainThread = true;
export const parentPort = null;
export const workerData = null;
export const threadId = 0;
export const resourceLimits = {};
export const SHARE_ENV = Symbol.for("nodejs.worker_threads.SHARE_ENV");

export const {
  markAsUntransferable, moveMessagePortToContext, receiveMessageOnPort, postMessageToThread, setEnvironmentData, getEnvironmentData,
} = /* @__PURE__ */ unavailableAll("worker_threads", [
  "markAsUntransferable", "moveMessagePortToContext", "receiveMessageOnPort", "postMessageToThread", "setEnvironmentData", "getEnvironmentData",
]);
export * as default from "./worker_threads.ts";
