// Work of the Web APIs: run(name, n) does one of it n times. Under Node it takes lines "name n" and answers each with a line.
const text = "The quick brown fox, größer als der faule Hund, 敏捷的棕色狐狸 🦊. ".repeat(1000);
const bytes = new TextEncoder().encode(text);
const megabyte = new Uint8Array(1 << 20).map((_, k) => k * 31);
const base64 = btoa(Array.from(megabyte.subarray(0, 100_000), (byte) => String.fromCharCode(byte)).join(""));
const record = (k: number) => ({ id: `record-${k}`, title: "A title of some words", score: k / 7, tags: ["one", "two", "three"], at: new Date(k), nested: { ok: true, list: [1, 2, 3, k] } });
const records = Array.from({ length: 600 }, (_, k) => record(k)); // some 100 KB as JSON
const boundary = "----boundary7MA4YWxkTrZu0gW";
const multipart = new TextEncoder().encode(
  Array.from({ length: 20 }, (_, k) => `--${boundary}\r\nContent-Disposition: form-data; name="field${k}"\r\n\r\nvalue ${k}\r\n`).join("") +
  `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\nContent-Type: application/octet-stream\r\n\r\n${"x".repeat(100_000)}\r\n--${boundary}--\r\n`,
);
const multipartType = { headers: { "content-type": `multipart/form-data; boundary=${boundary}` } };

let kept: unknown;
const work: Record<string, () => unknown> = {
  url_parse_plain: () => new URL("https://api.example.com/v2/items/42?include=owner&sort=-created").pathname,
  url_parse: () => new URL("https://user:pass@api.example.com:8443/v1/../v2/items/42?include=owner&sort=-created#top").pathname,
  utf8_encode_70kb: () => new TextEncoder().encode(text),
  utf8_decode_70kb: () => new TextDecoder().decode(bytes),
  base64_encode_100kb: () => Buffer.from(megabyte.buffer, 0, 100_000).toString("base64"),
  base64_decode_100kb: () => atob(base64),
  sha256_1mb: () => crypto.subtle.digest("SHA-256", megabyte),
  structured_clone_100kb: () => structuredClone(records),
  multipart_100kb: () => new Response(multipart, multipartType).formData(),
};

export async function run({ name, n }: { name: string; n: number }): Promise<void> {
  const f = work[name]!;
  for (let k = 0; k < n; k++) {
    const result = f();
    kept = result instanceof Promise ? await result : result;
  }
}

const node = (globalThis as any).process?.versions?.node ? (globalThis as any).process : undefined;
if (node) {
  let rest = "";
  let last: Promise<void> = Promise.resolve();
  node.stdin.on("data", (chunk: Uint8Array) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const [name, n] = line.split(" ") as [string, string];
      last = last.then(() => run({ name, n: Number(n) })).then(() => console.log(typeof kept));
    }
  });
}
