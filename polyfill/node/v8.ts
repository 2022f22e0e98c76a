// https://nodejs.org/api/v8.html, of which nothing works here: it only imports.
import { unavailableAll, unavailableClass } from "./unavailable.ts";

export const Serializer = /* @__PURE__ */ unavailableClass("v8", "Serializer");
export const Deserializer = /* @__PURE__ */ unavailableClass("v8", "Deserializer");
export const DefaultSerializer = /* @__PURE__ */ unavailableClass("v8", "DefaultSerializer");
export const DefaultDeserializer = /* @__PURE__ */ unavailableClass("v8", "DefaultDeserializer");
export const GCProfiler = /* @__PURE__ */ unavailableClass("v8", "GCProfiler");
export const startupSnapshot = { isBuildingSnapshot: () => false };

export const {
  cachedDataVersionTag, getHeapSnapshot, getHeapStatistics, getHeapSpaceStatistics, getHeapCodeStatistics, setFlagsFromString, deserialize,
  takeCoverage, stopCoverage, serialize, writeHeapSnapshot, queryObjects, setHeapSnapshotNearHeapLimit,
} = /* @__PURE__ */ unavailableAll("v8", [
  "cachedDataVersionTag", "getHeapSnapshot", "getHeapStatistics", "getHeapSpaceStatistics", "getHeapCodeStatistics", "setFlagsFromString",
  "deserialize", "takeCoverage", "stopCoverage", "serialize", "writeHeapSnapshot", "queryObjects", "setHeapSnapshotNearHeapLimit",
]);
export * as default from "./v8.ts";
