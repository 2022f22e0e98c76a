// https://w3c.github.io/webcrypto/#JsonWebKey-dictionary
import { domString } from "../polyfill/webidl.ts";
import type { KeyUsage } from "./cryptokey.ts";
import { algorithms, exception } from "./cryptoparameters.ts";

export interface JsonWebKey {
  kty?: string; use?: string; key_ops?: string[]; alg?: string; ext?: boolean; crv?: string; x?: string; y?: string; d?: string; n?: string;
  e?: string; p?: string; q?: string; dp?: string; dq?: string; qi?: string; oth?: unknown[]; k?: string;
}

const texts = ["kty", "use", "alg", "crv", "x", "y", "d", "n", "e", "p", "q", "dp", "dq", "qi", "k"] as const;

/** Copies the members of a dictionary. */
export function toJwk(value: unknown): JsonWebKey {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || value instanceof ArrayBuffer) throw new TypeError("The key data is not a JSON Web Key");
  const given = value as Record<string, unknown>;
  const jwk: JsonWebKey = {};
  for (const name of texts) if (given[name] !== undefined) jwk[name] = domString(given[name]);
  if (given["ext"] !== undefined) jwk.ext = !!given["ext"];
  if (given["key_ops"] !== undefined) jwk.key_ops = [...(given["key_ops"] as Iterable<unknown>)].map(domString);
  if (given["oth"] !== undefined) jwk.oth = [];
  return jwk;
}

export function badJwk(why: string): DOMException {
  return exception("DataError", `The JSON Web Key ${why}`);
}

const keyTypes = { AES: "oct", HMAC: "oct", KDF: "oct", RSA: "RSA", EC: "EC", Ed25519: "OKP", X25519: "OKP" };

/** Checks what holds for all kinds of keys. */
export function checkJwk(jwk: JsonWebKey, name: string, extractable: boolean, usages: readonly KeyUsage[]): void {
  const { kind, jwkUse } = algorithms[name]!;
  if (jwk.kty !== keyTypes[kind]) throw badJwk(`has another kty than "${keyTypes[kind]}"`);
  if (jwk.use !== undefined && usages.length > 0 && jwk.use !== jwkUse) throw badJwk(`has the use "${jwk.use}"`);
  if (jwk.key_ops !== undefined) {
    if (new Set(jwk.key_ops).size !== jwk.key_ops.length) throw badJwk("names a usage twice in its key_ops");
    if (usages.some((usage) => !jwk.key_ops!.includes(usage))) throw badJwk("does not allow all of the usages in its key_ops");
  }
  if (jwk.ext === false && extractable) throw badJwk("is not extractable");
  if (jwk.oth !== undefined) throw exception("NotSupportedError", "RSA keys of more than two primes are not supported");
}
