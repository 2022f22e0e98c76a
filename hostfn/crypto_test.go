package hostfn_test

import (
	"testing"

	"github.com/agentrt/agentrt/hostfn"
	"github.com/agentrt/agentrt/internal/jstest"
	"github.com/agentrt/agentrt/quickjs"
)

// The expected values are those of RFC 4231 (HMAC), RFC 5869 (HKDF), RFC 7914
// section 11 (PBKDF2), and of the GCM specification's test cases 4 and 16.
func TestCrypto(t *testing.T) {
	ops := quickjs.NewOps()
	hostfn.RegisterEncoding(ops)
	hostfn.RegisterCrypto(ops)
	hostfn.RegisterWebCrypto(ops)
	jstest.Run(t, jstest.Env{Ops: ops, Setup: `
		import { crypto, CryptoKey, SubtleCrypto, installNodeCrypto } from "./hostfn/crypto.ts";
		import { structuredClone } from "./polyfill/structuredclone.ts";
		installNodeCrypto();
		const node = globalThis[Symbol.for("agentrt.crypto")];
		const { subtle } = crypto;
		const text = (s) => Uint8Array.from(s, (c) => c.charCodeAt(0)), bytes = (h) => Uint8Array.fromHex(h), hex = (b) => new Uint8Array(b).toHex();
		const hmac = (hash, key, usages = ["sign", "verify"], extractable = true) => subtle.importKey("raw", key, { name: "HMAC", hash }, extractable, usages);
		const aes = (key, usages = ["encrypt", "decrypt"]) => subtle.importKey("raw", key, "AES-GCM", true, usages);
		const base = (name, key) => subtle.importKey("raw", key, name, false, ["deriveBits", "deriveKey"]);
		const K4 = bytes("feffe9928665731c6d6a8f9467308308"), IV4 = bytes("cafebabefacedbaddecaf888"), AAD4 = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
		const P4 = bytes("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
	`}, []jstest.Case{
		{`(() => { const a = new Uint32Array(1024), b = crypto.getRandomValues(a); return [a === b, a.some((v) => v !== 0)] })()`, `[true,true]`},
		{`crypto.getRandomValues(new Uint8Array(65537))`, `"throws QuotaExceededError: getRandomValues() fills at most 65536 bytes, not 65537"`},
		{`crypto.getRandomValues(new Float32Array(1))`, `"throws TypeMismatchError: getRandomValues() takes an integer typed array, not a Float32Array"`},
		{`crypto.getRandomValues(new DataView(new ArrayBuffer(1)))`, `"throws TypeMismatchError: getRandomValues() takes an integer typed array, not a DataView"`},
		{`crypto.getRandomValues([1])`, `"throws TypeError: getRandomValues() takes a typed array"`},
		{`[/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()), crypto.randomUUID() !== crypto.randomUUID(), String(crypto), String(subtle)]`, `[true,true,"[object Crypto]","[object SubtleCrypto]"]`},
		{`(0, crypto.randomUUID)()`, `"throws TypeError: not an object"`},
		{`Promise.all(["sha-1", "SHA-256", { name: "SHA-384" }, "SHA-512"].map((a) => subtle.digest(a, text("abc")).then((d) => hex(d).slice(0, 16) + d.byteLength)))`, `["a9993e364706816a20","ba7816bf8f01cfea32","cb00753f45a35e8b48","ddaf35a193617aba64"]`},
		{`subtle.digest("SHA-256", new DataView(text("xabcx").buffer, 1, 3)).then((d) => hex(d).slice(0, 16))`, `"ba7816bf8f01cfea"`},
		{`subtle.digest("MD5", text(""))`, `"throws NotSupportedError: digest() does not support the algorithm \"MD5\"; it supports SHA-1, SHA-256, SHA-384, SHA-512"`},
		{`subtle.digest("SHA-1", "abc")`, `"throws TypeError: digest()'s data is not an ArrayBuffer or a view of one"`},
		{`subtle.digest({}, text(""))`, `"throws TypeError: The algorithm has no name"`},

		{`hmac("SHA-256", text("Jefe")).then((k) => subtle.sign("HMAC", k, text("what do ya want for nothing?"))).then(hex)`, `"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"`},
		{`hmac("SHA-512", bytes("aa".repeat(131))).then((k) => subtle.sign("hmac", k, text("Test Using Larger Than Block-Size Key - Hash Key First"))).then((s) => hex(s).slice(0, 32))`, `"80b24263c7c1a3ebb71493c1dd7be8b4"`},
		{`(async () => { const k = await hmac("SHA-256", text("Jefe")); const s = new Uint8Array(await subtle.sign("HMAC", k, text("m"))); const ok = await subtle.verify("HMAC", k, s, text("m")); s[0] ^= 1; return [ok, await subtle.verify("HMAC", k, s, text("m")), await subtle.verify("HMAC", k, s.subarray(1), text("m"))] })()`, `[true,false,false]`},
		{`(async () => { const k = await hmac("SHA-256", text("k")); return [k.type, k.extractable, k.usages, k.algorithm, k instanceof CryptoKey, String(k), await subtle.exportKey("jwk", k), hex(await subtle.exportKey("raw", k))] })()`, `["secret",true,["sign","verify"],{"name":"HMAC","hash":{"name":"SHA-256"},"length":8},true,"[object CryptoKey]",{"kty":"oct","k":"aw","alg":"HS256","key_ops":["sign","verify"],"ext":true},"6b"]`},
		{`subtle.importKey("jwk", { kty: "oct", k: "aw", alg: "HS256" }, { name: "HMAC", hash: "SHA-256" }, true, ["verify"]).then((k) => subtle.exportKey("raw", k)).then(hex)`, `"6b"`},
		{`subtle.importKey("jwk", { kty: "oct", k: "aw", alg: "HS384" }, { name: "HMAC", hash: "SHA-256" }, true, ["verify"])`, `"throws DataError: The JSON Web Key has the alg \"HS384\", not \"HS256\""`},
		{`subtle.importKey("jwk", { kty: "oct", k: "aw", ext: false }, { name: "HMAC", hash: "SHA-256" }, true, ["verify"])`, `"throws DataError: The JSON Web Key is not extractable"`},
		{`hmac("SHA-256", text("k"), ["verify"]).then((k) => subtle.sign("HMAC", k, text("")))`, `"throws InvalidAccessError: The key's usages do not include \"sign\""`},
		{`hmac("SHA-256", text("k"), ["verify"]).then((k) => { k.usages.push("sign"); return subtle.sign("HMAC", k, text("")) })`, `"throws InvalidAccessError: The key's usages do not include \"sign\""`},
		{`hmac("SHA-256", text("k"), ["sign"], false).then((k) => subtle.exportKey("raw", k))`, `"throws InvalidAccessError: The key is not extractable"`},
		{`hmac("SHA-256", text("k"), [])`, `"throws SyntaxError: A secret key needs at least one usage: sign, verify"`},
		{`hmac("SHA-256", text("k"), ["encrypt"])`, `"throws SyntaxError: This key for HMAC cannot have the usage \"encrypt\""`},
		{`hmac("SHA-256", text("k"), ["fly"])`, `"throws TypeError: \"fly\" is not a key usage"`},
		{`subtle.generateKey({ name: "HMAC", hash: "SHA-384" }, true, ["sign"]).then((k) => subtle.exportKey("raw", k)).then((b) => b.byteLength)`, `128`},
		{`hmac("SHA-256", text("Jefe")).then((k) => subtle.sign("HMAC", structuredClone(k), text("what do ya want for nothing?"))).then((s) => hex(s).slice(0, 8))`, `"5bdcc146"`},

		{`aes(K4).then((k) => subtle.encrypt({ name: "AES-GCM", iv: IV4, additionalData: AAD4 }, k, P4)).then((c) => [hex(c).slice(0, 32), hex(c).slice(-32)])`, `["42831ec2217774244b7221b784d0d49c","5bc94fbc3221a5db94fae95ae7121a47"]`},
		{`aes(bytes("feffe9928665731c6d6a8f9467308308".repeat(2))).then((k) => subtle.encrypt({ name: "AES-GCM", iv: IV4, additionalData: AAD4, tagLength: 96 }, k, P4)).then((c) => [hex(c).slice(0, 32), hex(c).slice(-24), c.byteLength])`, `["522dc1f099567d07f47f37a32a84427d","76fc6ece0f4e1768cddf8853",72]`},
		{`(async () => { const out = []; for (const tagLength of [32, 96, 128]) { const k = await aes(K4), p = { name: "AES-GCM", iv: IV4, additionalData: AAD4, tagLength }; const c = new Uint8Array(await subtle.encrypt(p, k, P4)); out.push(hex(await subtle.decrypt(p, k, c)) === hex(P4)); c[5] ^= 1; out.push(await subtle.decrypt(p, k, c).catch((e) => e.name)) } return out })()`, `[true,"OperationError",true,"OperationError",true,"OperationError"]`},
		{`aes(K4).then((k) => subtle.decrypt({ name: "AES-GCM", iv: IV4 }, k, new Uint8Array(3)))`, `"throws OperationError: the cipher text is shorter than its tag of 16 bytes"`},
		{`aes(K4).then((k) => subtle.encrypt({ name: "AES-GCM" }, k, P4))`, `"throws TypeError: AES-GCM's iv is not an ArrayBuffer or a view of one"`},
		{`aes(K4).then((k) => subtle.encrypt({ name: "AES-GCM", iv: IV4, tagLength: 33 }, k, P4))`, `"throws OperationError: AES-GCM has no tag of 33 bits"`},
		{`aes(K4.subarray(1))`, `"throws DataError: An AES key has 16, 24 or 32 bytes, not 15"`},
		{`subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt"]).then((k) => subtle.exportKey("jwk", k)).then((j) => [j.alg, j.k.length])`, `["A256GCM",43]`},
		{`subtle.generateKey({ name: "AES-GCM", length: 100 }, true, ["encrypt"])`, `"throws OperationError: AES keys have 128, 192 or 256 bits, not 100"`},
		{`subtle.generateKey({ name: "RSA-OAEP" }, true, ["encrypt"])`, `"throws TypeError: The modulusLength is outside of 0 to 4294967295"`},
		{`hmac("SHA-256", text("k")).then((k) => subtle.encrypt({ name: "AES-GCM", iv: IV4 }, k, P4))`, `"throws InvalidAccessError: The key is for HMAC, not AES-GCM"`},

		{`base("PBKDF2", text("passwd")).then((k) => subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: text("salt"), iterations: 1 }, k, 512)).then(hex)`, `"55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"`},
		{`base("PBKDF2", text("Password")).then((k) => subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: text("NaCl"), iterations: 80000 }, k, 512)).then((b) => hex(b).slice(0, 32))`, `"4ddcd8f60b98be21830cee5ef22701f9"`},
		{`base("PBKDF2", text("x")).then((k) => subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: text("NaCl"), iterations: 600000 }, k, 512))`, `"throws OperationError: PBKDF2 with 600000 iterations for 64 bytes is above the limit of 1000000 iterations in total"`},
		{`base("PBKDF2", text("x")).then((k) => subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: text("NaCl"), iterations: 0 }, k, 8))`, `"throws OperationError: PBKDF2 needs at least one iteration"`},
		{`base("HKDF", bytes("0b".repeat(22))).then((k) => subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: bytes("000102030405060708090a0b0c"), info: bytes("f0f1f2f3f4f5f6f7f8f9") }, k, 336)).then(hex)`, `"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"`},
		{`base("HKDF", bytes("0b".repeat(22))).then((k) => subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: new Uint8Array() }, k, 336)).then((b) => hex(b).slice(0, 32))`, `"8da4e775a563c18f715f802a063c5a31"`},
		{`base("HKDF", text("x")).then((k) => subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: new Uint8Array() }, k, 65288))`, `"throws OperationError: HKDF gives at most 8160 bytes with SHA-256, not 8161"`},
		{`base("HKDF", text("x")).then((k) => subtle.deriveKey({ name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: new Uint8Array() }, k, { name: "AES-GCM", length: 128 }, true, ["encrypt"])).then((k) => k.algorithm)`, `{"name":"AES-GCM","length":128}`},
		{`new SubtleCrypto()`, `"throws TypeError: Illegal constructor: use crypto.subtle"`},
		{`subtle.importKey("spki", text(""), { name: "HMAC", hash: "SHA-1" }, true, ["sign"])`, `"throws NotSupportedError: A key for HMAC is not imported as \"spki\""`},
		{`subtle.importKey("raw", text(""), { name: "ECDSA", namedCurve: "P-256" }, true, [])`, `"throws DataError: the key data is not a valid EC key as raw: ecdsa: invalid uncompressed public key"`},
		{`subtle.generateKey({ name: "RSA-PSS", hash: "SHA-1", modulusLength: 8192, publicExponent: new Uint8Array([1, 0, 1]) }, true, ["sign"])`, `"throws OperationError: a new RSA key has 1024 to 4096 bits, not 8192"`},
		{`subtle.importKey("jwk", { kty: "RSA", e: "AQAB", n: new Uint8Array(1025).fill(255).toBase64({ alphabet: "base64url", omitPadding: true }) }, { name: "RSA-PSS", hash: "SHA-1" }, true, ["verify"])`, `"throws DataError: the RSA key has 8200 bits, of at most 8192, and an exponent of 17 bits, of at most 31"`},
		{`(async () => { const k = await subtle.generateKey("Ed25519", false, ["sign", "verify"]); const c = structuredClone(k.privateKey); const s = await subtle.sign("Ed25519", c, text("m")); return [c.type, c.extractable, await subtle.verify("Ed25519", k.publicKey, s, text("m")), await subtle.verify("Ed25519", k.publicKey, s, text("n"))] })()`, `["private",false,true,false]`},
		{`subtle.generateKey("Ed25519", false, ["sign", "verify"]).then((k) => subtle.exportKey("pkcs8", k.privateKey))`, `"throws InvalidAccessError: The key is not extractable"`},
		{`(async () => { const w = await subtle.importKey("raw", bytes("000102030405060708090a0b0c0d0e0f"), "AES-KW", false, ["wrapKey", "unwrapKey"]); const k = await subtle.importKey("raw", bytes("00112233445566778899aabbccddeeff"), "AES-CBC", true, ["encrypt"]); const j = await subtle.unwrapKey("jwk", await subtle.wrapKey("jwk", k, w, "AES-KW"), w, "AES-KW", "AES-CBC", true, ["encrypt"]); return [hex(await subtle.wrapKey("raw", k, w, "AES-KW")), hex(await subtle.exportKey("raw", j))] })()`, `["1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5","00112233445566778899aabbccddeeff"]`},

		{`[hex(node.hash("md5", text("abc"))), hex(node.hmac("SHA256", text("Jefe"), text("what do ya want for nothing?"))).slice(0, 8), node.equal(text("ab"), text("ab")), node.equal(text("ab"), text("ac"))]`, `["900150983cd24fb0d6963f7d28e17f72","5bdcc146",true,false]`},
	})
}
