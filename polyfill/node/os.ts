// https://nodejs.org/api/os.html: what a Linux machine with one core and no names would say.

export const EOL = "\n";
export const devNull = "/dev/null";
export const constants = { signals: {}, errno: {}, priority: {}, dlopen: {}, UV_UDP_REUSEADDR: 4 };
export function platform(): string { return "linux"; }
export function type(): string { return "Linux"; }
export function arch(): string { return "wasm32"; }
export function machine(): string { return "wasm32"; }
export function release(): string { return ""; }
export function version(): string { return "agentrt"; }
export function hostname(): string { return "agentrt"; }
export function homedir(): string { return "/"; }
export function tmpdir(): string { return "/tmp"; }
export function endianness(): string { return "LE"; }
export function availableParallelism(): number { return 1; }
export function cpus(): { model: string; speed: number; times: Record<string, number> }[] {
  return [{ model: "", speed: 0, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } }];
}
export function loadavg(): number[] { return [0, 0, 0]; }
export function totalmem(): number { return 0; }
export function freemem(): number { return 0; }
export function uptime(): number { return performance.now() / 1000; }
export function networkInterfaces(): Record<string, never> { return {}; }
export function userInfo(): object { return { username: "agentrt", uid: -1, gid: -1, shell: null, homedir: "/" }; }
export * as default from "./os.ts";
