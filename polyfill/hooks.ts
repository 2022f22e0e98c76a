// What these files need of the host's side, which registers itself: a polyfill imports nothing from there.
import type { HostSource } from "./body.ts";

export interface FetchHooks {
  /** The serialised URL; throws a TypeError for anything else. */
  parseUrl(input: string): { href: string; username: string; password: string };
  isURLSearchParams(value: unknown): boolean;
  /** A body that the host holds. */
  openSource(rid: number): HostSource;
}

export let hooks: FetchHooks;

export function setFetchHooks(value: FetchHooks): void {
  hooks = value;
}
