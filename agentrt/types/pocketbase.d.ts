/** The global `pb`: PocketBase from inside a function. */
declare const pb: PocketBase;

interface PocketBase {
  readonly utils: PocketBaseUtils;
}

interface PocketBaseUtils {
  /** A random UUID, version 4. */
  uuid(): string;
  /** The SHA-256 of the text's UTF-8, 64 hexadecimal digits. */
  hash(input: string): string;
  /** Random letters and digits from a cryptographic source; at most 65,536. */
  randomString(length: number): string;
}
