// https://w3c.github.io/webcrypto/#cryptokey-interface. Key bytes lie in private fields and go along with each call.
import { defineInterface } from "../polyfill/webidl.ts";
import { defineCloneable } from "../polyfill/structuredclone.ts";

export type Bytes = Uint8Array<ArrayBuffer>;
export type KeyUsage = "encrypt" | "decrypt" | "sign" | "verify" | "deriveKey" | "deriveBits" | "wrapKey" | "unwrapKey";
export type KeyType = "secret" | "private" | "public";
export interface KeyAlgorithm {
  name: string;
  hash?: { name: string };
  length?: number;
  namedCurve?: string;
  modulusLength?: number;
  publicExponent?: Bytes;
}

/** What a key is, apart from the objects that scripts get and may change. */
export interface KeyFacts {
  /** The secret itself; PKCS #8 of a private and SubjectPublicKeyInfo of a public key. */
  bytes: Bytes;
  type: KeyType;
  name: string;
  hash: string;
  curve: string;
  extractable: boolean;
  usages: readonly KeyUsage[];
}

export let newKey: (type: KeyType, bytes: Bytes, algorithm: KeyAlgorithm, extractable: boolean, usages: readonly KeyUsage[]) => CryptoKey;
export let factsOf: (key: CryptoKey) => KeyFacts;
const token = Symbol("CryptoKey");

/** https://w3c.github.io/webcrypto/#cryptokey-interface */
export class CryptoKey {
  #facts!: KeyFacts;
  #algorithm!: KeyAlgorithm;
  #usages: KeyUsage[] = [];

  constructor(secret: unknown | undefined = undefined) {
    if (secret !== token) throw new TypeError("Illegal constructor: use crypto.subtle.importKey() or generateKey()");
  }

  static {
    newKey = (type, bytes, algorithm, extractable, usages) => {
      const key = new CryptoKey(token);
      key.#facts = { bytes, type, name: algorithm.name, hash: algorithm.hash?.name ?? "", curve: algorithm.namedCurve ?? "", extractable, usages };
      key.#algorithm = algorithm;
      key.#usages = [...usages];
      return key;
    };
    factsOf = (key) => {
      if (typeof key !== "object" || key === null || !(#facts in key)) throw new TypeError("The key is not a CryptoKey");
      return key.#facts;
    };
  }

  get type(): KeyType { return this.#facts.type; }
  get extractable(): boolean { return this.#facts.extractable; }
  get algorithm(): KeyAlgorithm { return this.#algorithm; }
  get usages(): KeyUsage[] { return this.#usages; }
}
defineInterface(CryptoKey, "CryptoKey");
defineCloneable(CryptoKey, (key) => {
  const { bytes, type, extractable, usages } = factsOf(key);
  return newKey(type, bytes, { ...key.algorithm }, extractable, usages);
});
