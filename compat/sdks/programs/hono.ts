// Hono: https://hono.dev
import { zValidator } from "@hono/zod-validator";
import { Hono } from "hono";
import { basicAuth } from "hono/basic-auth";
import { bearerAuth } from "hono/bearer-auth";
import { hc } from "hono/client";
import { deleteCookie, getCookie, getSignedCookie, setCookie, setSignedCookie } from "hono/cookie";
import { cors } from "hono/cors";
import { csrf } from "hono/csrf";
import { etag } from "hono/etag";
import { createMiddleware } from "hono/factory";
import { html, raw } from "hono/html";
import { HTTPException } from "hono/http-exception";
import { jwt, sign } from "hono/jwt";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { stream, streamSSE, streamText } from "hono/streaming";
import { timeout } from "hono/timeout";
import { validator } from "hono/validator";
import { z } from "zod";
import { check, suite, type Ask, type Asked } from "../harness.ts";

/** An app at the program's own path, and the requests it gets. */
function served(name: string, build: (app: Hono) => void, ...requests: Ask[]): Asked {
  const app = new Hono().basePath(`/api/pb_serverless/hono/${name}`);
  build(app);
  return { requests, run: (t) => app.fetch(t.req) };
}

const json = (path: string, body: unknown, headers: Record<string, string> = {}): Ask => ({ path, method: "POST", body: typeof body === "string" ? body : JSON.stringify(body), headers: { "content-type": "application/json", ...headers } });
const form = (path: string, body: string): Ask => ({ path, method: "POST", body, headers: { "content-type": "application/x-www-form-urlencoded" } });

export default suite("hono", {
  routing: served("routing", (app) => {
    app.get("/", (c) => c.text("root"));
    app.get("/users/:id{[0-9]+}", (c) => c.json({ id: c.req.param("id"), q: c.req.query(), all: c.req.queries("tag") }));
    app.get("/files/*", (c) => c.text(c.req.path));
    app.on(["PUT", "PATCH"], "/thing", (c) => c.text(c.req.method));
    app.route("/sub", new Hono().get("/x", (c) => c.redirect("/elsewhere", 303)).all("/any", (c) => c.body(null, 204)));
    app.notFound((c) => c.json({ missing: c.req.path }, 404));
    app.onError((e, c) => c.text(e instanceof HTTPException ? `http ${e.status}` : `error ${e.message}`, e instanceof HTTPException ? e.status : 500));
    app.get("/teapot", () => { throw new HTTPException(418, { message: "teapot" }); });
    app.get("/throws", () => { throw new Error("broken"); });
  }, {}, { path: "/users/7?a=1&tag=x&tag=y%20z" }, { path: "/users/x" }, { path: "/files/a/b%20c" }, { path: "/thing", method: "PATCH" }, { path: "/thing" }, { path: "/sub/x" }, { path: "/sub/any", method: "DELETE" }, { path: "/teapot" }, { path: "/throws" }),

  middleware: served("middleware", (app) => {
    const timer = createMiddleware<{ Variables: { user: string } }>(async (c, next) => {
      c.set("user", "ada");
      await next();
      c.header("x-after", c.get("user"));
    });
    app.use(timer, secureHeaders());
    app.get("/", (c) => c.text(`hello ${(c as any).get("user")}`));
    app.get("/html", (c) => c.html(html`<p>${"<b>escaped</b>"} ${raw("<i>raw</i>")}</p>`));
  }, {}, { path: "/html" }),

  "stream-sse": served("stream-sse", (app) => {
    app.get("/", (c) => streamSSE(c, async (s) => {
      for (let k = 0; k < 3; k++) {
        await s.writeSSE({ event: "tick", id: String(k), data: JSON.stringify({ k }), ...(k === 2 ? { retry: 500 } : {}) });
        await s.sleep(2);
      }
      await s.writeSSE({ data: "two\nlines" });
    }));
    app.get("/fails", (c) => streamSSE(c, async (s) => { await s.writeSSE({ data: "a" }); throw new Error("half way"); }, async (e, s) => { await s.writeSSE({ event: "problem", data: e.message }); }));
  }, {}, { path: "/fails" }),

  "stream-text": served("stream-text", (app) => {
    app.get("/text", (c) => streamText(c, async (s) => { await s.writeln("one"); await s.write("two ü"); }));
    app.get("/bytes", (c) => stream(c, async (s) => { await s.write(new Uint8Array([1, 2, 3])); await s.pipe(new Blob(["rest"]).stream()); }));
  }, { path: "/text" }, { path: "/bytes" }),

  cookies: served("cookies", (app) => {
    app.get("/set", async (c) => {
      setCookie(c, "plain", "a b;c", { path: "/", httpOnly: true, sameSite: "Lax", maxAge: 60 });
      await setSignedCookie(c, "signed", "value", "a secret", { path: "/" });
      return c.text("set");
    });
    app.get("/get", async (c) => c.json({ all: getCookie(c), signed: await getSignedCookie(c, "a secret", "signed"), forged: await getSignedCookie(c, "another", "signed") }));
    app.get("/delete", (c) => { deleteCookie(c, "plain", { path: "/" }); return c.text("gone"); });
  }, { path: "/set" }, { path: "/get" }, { path: "/delete" }, { path: "/get" }),

  validators: served("validators", (app) => {
    app.post("/zod", zValidator("json", z.object({ name: z.string().min(2), age: z.coerce.number().int().optional() })), (c) => c.json(c.req.valid("json")));
    app.post("/form", zValidator("form", z.object({ a: z.string(), b: z.array(z.string()).or(z.string()) })), (c) => c.json(c.req.valid("form")));
    app.get("/query", zValidator("query", z.object({ page: z.coerce.number().default(1) })), (c) => c.json(c.req.valid("query")));
    app.post("/own", validator("json", (value, c) => (value.ok ? value : c.text("not ok", 422))), (c) => c.json(c.req.valid("json")));
  }, json("/zod", { name: "Ada", age: "36" }), json("/zod", { name: "A" }), json("/zod", "{broken"), form("/form", "a=1&b=x&b=y%20z"), form("/form", "b=1"), { path: "/query?page=3" }, { path: "/query?page=x" }, json("/own", { ok: true }), json("/own", {})),

  bodies: served("bodies", (app) => {
    app.post("/parse", async (c) => {
      const body = await c.req.parseBody({ all: true });
      return c.json(Object.fromEntries(await Promise.all(Object.entries(body).map(async ([k, v]) => [k, v instanceof File ? [v.name, v.type, await v.text()] : v]))));
    });
    app.post("/twice", async (c) => c.json([await c.req.text(), await c.req.json(), (await c.req.arrayBuffer()).byteLength]));
  }, { path: "/parse", method: "POST", headers: { "content-type": "multipart/form-data; boundary=xx" }, body: '--xx\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--xx\r\ncontent-disposition: form-data; name="f"; filename="ü.txt"\r\ncontent-type: text/plain\r\n\r\nhello\r\n--xx--\r\n' }, form("/parse", "x=1&x=2&y=%C3%BC"), json("/twice", { a: "ü" })),

  auth: served("auth", (app) => {
    app.use("/basic", basicAuth({ username: "ada", password: "lovelace" }));
    app.use("/bearer", bearerAuth({ token: "token-1" }));
    app.use("/jwt", jwt({ secret: "secret", alg: "HS256" }));
    app.get("/basic", (c) => c.text("in")).get("/bearer", (c) => c.text("in")).get("/jwt", (c) => c.json(c.get("jwtPayload")));
    app.get("/sign", async (c) => c.text(await sign({ sub: "ada", n: 1 }, "secret", "HS256")));
  }, { path: "/basic" }, { path: "/basic", headers: { authorization: `Basic ${btoa("ada:lovelace")}` } }, { path: "/bearer", headers: { authorization: "Bearer wrong" } }, { path: "/bearer", headers: { authorization: "Bearer token-1" } }, { path: "/sign" },
  { path: "/jwt", headers: { authorization: "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEifQ.AAAA" } }, { path: "/jwt" }),

  "cross-origin": served("cross-origin", (app) => {
    app.use("/csrf", csrf({ origin: "https://app.example.com" }));
    app.post("/csrf", (c) => c.text("posted"));
    app.use("/etag", etag());
    app.get("/etag", (c) => c.text("the same each time"));
  }, { path: "/csrf", method: "POST", body: "a=1", headers: { "content-type": "application/x-www-form-urlencoded", origin: "https://evil.example.com" } }, { path: "/csrf", method: "POST", body: "a=1", headers: { "content-type": "application/x-www-form-urlencoded", origin: "https://app.example.com" } }, { path: "/etag" }),

  // Within one app, since the server in front of functions answers preflights itself.
  async "cors"() {
    const app = new Hono().use(cors({ origin: ["https://a.example.com"], credentials: true, exposeHeaders: ["x-a"] })).get("/", (c) => c.text("x"));
    const answers = [
      await app.request("/", { headers: { origin: "https://a.example.com" } }),
      await app.request("/", { method: "OPTIONS", headers: { origin: "https://a.example.com", "access-control-request-method": "PUT", "access-control-request-headers": "x-b" } }),
      await app.request("/", { headers: { origin: "https://b.example.com" } }),
    ];
    check(answers[0]!.headers.get("access-control-allow-origin") === "https://a.example.com", "the origin is allowed");
    return answers.map((a) => [a.status, [...a.headers].sort()]);
  },

  async "timeout"() {
    const app = new Hono().use(timeout(20)).get("/slow", async (c) => { await new Promise((r) => setTimeout(r, 2000)); return c.text("late"); });
    const answer = await app.request("/slow");
    check(answer.status === 504, "a time-out", answer.status);
    return await answer.text();
  },

  // A typed client whose requests go to the app itself.
  async client() {
    const app = new Hono().post("/items/:id", zValidator("json", z.object({ n: z.number() })), (c) => c.json({ id: c.req.param("id"), twice: c.req.valid("json").n * 2 })).get("/stream", (c) => streamText(c, async (s) => { await s.write("a"); await s.write("b"); }));
    const client = hc<typeof app>("http://local", { fetch: (input: RequestInfo | URL, init?: RequestInit) => app.request(input as string, init) });
    const item = await (await client.items[":id"].$post({ param: { id: "7" }, json: { n: 21 } })).json();
    const text = await (await client.stream.$get()).text();
    check(item.twice === 42 && text === "ab", "the typed client", item, text);
    return { item, text, url: client.items[":id"].$url({ param: { id: "7" } }).href };
  },

  async "request-id"() {
    const app = new Hono().use(requestId()).get("/", (c) => c.text(String((c as any).get("requestId").length)));
    return (await app.request("/", { headers: { "X-Request-Id": "given-1" } })).headers.get("x-request-id");
  },
});
