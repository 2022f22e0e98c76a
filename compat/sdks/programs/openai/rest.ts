// Embeddings, files, lists, images, webhooks, and what goes wrong.
import OpenAI, { toFile } from "openai";
import { check, collect, failure, seen, until, type Programs } from "../../harness.ts";
import { client } from "./client.ts";

const messages = [{ role: "user" as const, content: "say fine" }];
const round = (values: number[]) => values.map((v) => Math.round(v * 1e6) / 1e6);
const about = (e: any) => ({ class: e.constructor.name, status: e.status, code: e.code, type: e.type, param: e.param, message: e.message, request: e.requestID });

export const rest: Programs = {
  // Without encoding_format the SDK asks for base64 and decodes it.
  async embeddings(t) {
    const openai = client(t);
    const decoded = await openai.embeddings.create({ model: "test-embedding", input: ["a boat", "a cake"], dimensions: 32 });
    const floats = await openai.embeddings.create({ model: "test-embedding", input: ["a boat", "a cake"], dimensions: 32, encoding_format: "float" });
    const raw = await openai.embeddings.create({ model: "test-embedding", input: "a boat", dimensions: 32, encoding_format: "base64" });
    check(decoded.data[0]!.embedding.length === 32 && typeof (raw.data[0]!.embedding as any) === "string", "decoded and raw", decoded.data[0], raw.data[0]);
    check(JSON.stringify(round(decoded.data[1]!.embedding)) === JSON.stringify(round(floats.data[1]!.embedding)), "base64 gives the same numbers");
    return { decoded: decoded.data.map((d) => round([...d.embedding])), raw: raw.data[0]!.embedding, usage: decoded.usage };
  },

  async "files"(t) {
    const openai = client(t);
    const lines = '{"a":1}\n{"b":"ü"}\n';
    const uploads = [
      await openai.files.create({ file: new File([lines], "data.jsonl", { type: "application/jsonl" }), purpose: "fine-tune" }),
      await openai.files.create({ file: await toFile(new TextEncoder().encode(lines), "bytes.jsonl"), purpose: "batch" }),
      await openai.files.create({ file: await toFile(new Blob([lines, lines]), "blob.jsonl"), purpose: "batch" }),
      await openai.files.create({ file: await toFile(new Response(lines).body!, "stream.jsonl"), purpose: "batch" }),
      await openai.files.create({ file: await fetch(`${t.model}/v1/models`), purpose: "batch" }),
    ];
    const listed = await collect(openai.files.list());
    const content = await (await openai.files.content(uploads[0]!.id)).text();
    const deleted = await openai.files.delete(uploads[1]!.id);
    check(content === lines && listed.length === 5 && deleted.deleted, "content, list, delete", content, listed.length);
    return { uploads, listed: listed.map((f) => f.filename), gone: about(await failure(() => openai.files.retrieve(uploads[1]!.id))) };
  },

  async "upload-form"(t) {
    const file = new File([new Uint8Array(100_000).fill(7)], "größe.bin");
    const created = await client(t).files.create({ file, purpose: "assistants" });
    check(created.bytes === 100_000, "each byte arrives", created);
    return created;
  },

  async "models-list"(t) {
    const page = await client(t).models.list();
    const all = await collect(client(t).models.list());
    const one = await client(t).models.retrieve("test-model");
    return { page: page.data.length, all: all.map((m) => m.id), one };
  },

  async "image-generate"(t) {
    const result = await client(t).images.generate({ model: "gpt-image-1", prompt: "a red boat", n: 2 });
    const bytes = Uint8Array.from(atob(result.data![0]!.b64_json!), (c) => c.charCodeAt(0));
    check(bytes[0] === 0x89 && bytes[1] === 0x50, "a PNG file", bytes);
    return result.data;
  },

  async "retries"(t) {
    const openai = client(t, { maxRetries: 3 });
    const limited = await openai.chat.completions.create({ model: "test-model;fault=429x2/5ms", messages });
    const down = await openai.chat.completions.create({ model: "test-model;fault=503x1/5ms", messages });
    const requests = await seen(t);
    const counts = requests.map((r) => r.header["X-Stainless-Retry-Count"]?.[0]);
    check(limited.choices[0]!.message.content === "fine" && requests.length === 5, "the third and the second attempt succeed", requests.length);
    return { counts, text: down.choices[0]!.message.content, keys: requests.map((r) => r.header["Idempotency-Key"]?.length ?? 0) };
  },

  async "retries-end"(t) {
    const e = await failure(() => client(t, { maxRetries: 1 }).chat.completions.create({ model: "test-model;fault=429/5ms", messages }));
    const count = (await seen(t)).length;
    check(e instanceof OpenAI.RateLimitError && count === 2, "it gives up after one retry", e, count);
    return about(e);
  },

  async "timeouts"(t) {
    const e = await failure(() => client(t).chat.completions.create({ model: "test-model;fault=slow-headers@30s", messages }, { timeout: 1500 }));
    check(e instanceof OpenAI.APIConnectionTimeoutError, "a time-out of its own class", e);
    await until(async () => (await seen(t))[0].outcome !== "running");
    return about(e);
  },

  async "abort-stream"(t) {
    const stream = await client(t).chat.completions.create({ model: "test-model;tokens=500;delay=20ms", messages, stream: true });
    let count = 0;
    for await (const _ of stream) if (++count === 5) stream.controller.abort();
    check(count < 20, "it ends soon", count);
    await until(async () => (await seen(t))[0].outcome === "cancelled");
    return stream.controller.signal.aborted;
  },

  async "break-stream"(t) {
    const stream = await client(t).chat.completions.create({ model: "test-model;tokens=500;delay=20ms", messages, stream: true });
    for await (const _ of stream) break;
    await until(async () => (await seen(t))[0].outcome === "cancelled");
    return stream.controller.signal.aborted;
  },

  async "abort-request"(t) {
    const controller = new AbortController();
    until(async () => (await seen(t)).length > 0).then(() => controller.abort());
    const e = await failure(() => client(t).chat.completions.create({ model: "test-model;first-delay=30s", messages }, { signal: controller.signal }));
    const before = await failure(() => client(t).chat.completions.create({ model: "test-model", messages }, { signal: AbortSignal.abort() }));
    check(e instanceof OpenAI.APIUserAbortError && before instanceof OpenAI.APIUserAbortError, "errors of their own class", e, before);
    return [e.message, before.message];
  },

  async "error-classes"(t) {
    const expected: Record<number, unknown> = {
      400: OpenAI.BadRequestError, 401: OpenAI.AuthenticationError, 403: OpenAI.PermissionDeniedError, 404: OpenAI.NotFoundError, 409: OpenAI.ConflictError,
      422: OpenAI.UnprocessableEntityError, 429: OpenAI.RateLimitError, 500: OpenAI.InternalServerError, 503: OpenAI.InternalServerError,
    };
    const errors: unknown[] = [];
    for (const [status, type] of Object.entries(expected)) {
      const e = await failure(() => client(t).chat.completions.create({ model: `test-model;fault=${status}`, messages }));
      check(e.constructor === type && e instanceof OpenAI.APIError && e.headers.get("content-type") === "application/json", `the class of ${status}`, e);
      errors.push(about(e));
    }
    return errors;
  },

  async "connection-errors"(t) {
    const cut = await failure(() => client(t).chat.completions.create({ model: "test-model;fault=reset@0", messages }));
    const odd = await failure(() => client(t).chat.completions.create({ model: "test-model;fault=bad-json", messages }));
    const nowhere = await failure(() => client(t, { baseURL: "http://nowhere.invalid/v1" }).models.list());
    check(nowhere instanceof OpenAI.APIConnectionError && nowhere.cause instanceof Error, "a host that does not exist", nowhere);
    return [cut instanceof Error, odd.name, about(nowhere)];
  },

  async "stream-errors"(t) {
    const results: unknown[] = [];
    for (const fault of ["error@2", "bad-json@2", "cut@2"]) {
      const texts: string[] = [];
      const e = await failure(async () => {
        const stream = await client(t).chat.completions.create({ model: `test-model;fault=${fault}`, messages: [{ role: "user", content: "say one two three four" }], stream: true });
        for await (const chunk of stream) texts.push(chunk.choices[0]?.delta.content ?? "");
      });
      results.push([fault, texts, e.constructor.name, fault === "error@2" ? e.message : ""]);
    }
    return results;
  },

  async "raw-response"(t) {
    const promise = client(t).chat.completions.create({ model: "test-model", messages });
    const { data, response, request_id } = await promise.withResponse();
    const raw = await client(t).chat.completions.create({ model: "test-model", messages }).asResponse();
    check(response.headers.get("x-request-id") === request_id && (await raw.json()).object === "chat.completion", "the response is there", request_id);
    return { text: data.choices[0]!.message.content, status: response.status, type: response.headers.get("content-type"), request_id };
  },

  async "custom-fetch"(t) {
    const log: string[] = [];
    const openai = client(t, {
      organization: "org-1", project: "proj-1", defaultHeaders: { "x-extra": "1" }, defaultQuery: { a: "b c" },
      fetch: async (url, init) => { log.push(`${init!.method} ${new URL(String(url)).search}`); return fetch(url, init); },
    });
    await openai.post("/chat/completions", { body: { model: "test-model", messages }, headers: { "x-more": "2" } });
    const { header } = (await seen(t))[0];
    return { log, headers: ["Openai-Organization", "Openai-Project", "X-Extra", "X-More"].map((name) => header[name]) };
  },

  async "webhook"(t) {
    const secret = "whsec_" + btoa("a secret of some length!");
    const payload = JSON.stringify({ id: "evt_1", object: "event", type: "response.completed", created_at: 1750000000, data: { id: "resp_1" } });
    const timestamp = String(Math.floor(Date.now() / 1000));
    const key = await crypto.subtle.importKey("raw", new TextEncoder().encode("a secret of some length!"), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(`wh_1.${timestamp}.${payload}`));
    const signature = `v1,${btoa(String.fromCharCode(...new Uint8Array(mac)))}`;
    const headers = { "webhook-id": "wh_1", "webhook-timestamp": timestamp, "webhook-signature": signature };
    const openai = client(t, { webhookSecret: secret });
    const event = await openai.webhooks.unwrap(payload, headers);
    const forged = await failure(() => openai.webhooks.unwrap(payload.replace("resp_1", "resp_2"), headers));
    check(event.type === "response.completed" && forged.constructor.name === "InvalidWebhookSignatureError", "a forged one is refused", event, forged);
    return [event, forged.message];
  },
};
