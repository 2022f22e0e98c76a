// https://nodejs.org/api/perf_hooks.html: the global performance.
import { unavailable } from "./unavailable.ts";

const scope = globalThis as unknown as Record<string, any>;
const { performance: global, PerformanceEntry, PerformanceMark, PerformanceMeasure, PerformanceObserver } = scope;

export const constants = {};
export const monitorEventLoopDelay = unavailable("perf_hooks", "monitorEventLoopDelay");
export const createHistogram = unavailable("perf_hooks", "createHistogram");
export { global as performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, PerformanceObserver };
export default { performance: global, PerformanceEntry, PerformanceMark, PerformanceMeasure, PerformanceObserver, constants, monitorEventLoopDelay, createHistogram };
