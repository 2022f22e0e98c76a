// Zod: https://zod.dev
import * as core from "zod/v4/core";
import * as mini from "zod/mini";
import { z } from "zod";
import { check, failure, suite } from "../harness.ts";

const issues = (schema: z.ZodType, value: unknown) => schema.safeParse(value).error?.issues ?? "valid";

export default suite("zod", {
  async objects() {
    const user = z.object({ name: z.string().min(2), email: z.email(), age: z.number().int().positive().optional(), tags: z.array(z.string()).max(2).default([]) });
    const parsed = user.parse({ name: "Ada", email: "ada@example.com", other: 1 });
    check(!("other" in parsed) && parsed.tags.length === 0, "unknown keys go, defaults come", parsed);
    return [parsed, issues(user, { name: "A", email: "x", age: 1.5, tags: ["a", "b", "c"] }), issues(user.strict(), { ...parsed, other: 1 }), issues(user.partial(), {}), issues(user.pick({ name: true }), { name: 7 })];
  },

  async strings() {
    const cases: [z.ZodType, string[]][] = [
      [z.uuid(), ["3f2504e0-4f89-41d3-9a0c-0305e82c3301", "x"]], [z.url(), ["https://example.com/ü?x", "nope"]], [z.ipv4(), ["10.0.0.1", "10.0.0.256"]], [z.ipv6(), ["::1", "::g"]], [z.base64(), ["aGk=", "a"]], [z.jwt(), ["a.b.c"]],
      [z.iso.datetime({ offset: true }), ["2026-01-02T03:04:05+01:00", "2026-13-02T03:04:05Z"]], [z.iso.date(), ["2024-02-29", "2023-02-29"]], [z.emoji(), ["🙂", "x"]], [z.nanoid(), ["V1StGXR8_Z5jdHi6B-myT", "x"]], [z.cuid2(), ["tz4a98xxat96iws9zmbrgj3a", "-"]], [z.e164(), ["+4912345678", "12"]],
      [z.string().regex(/^\p{Lu}+$/u), ["ÄÖ", "äö"]], [z.string().trim().toLowerCase().startsWith("a"), [" ABC ", "b"]], [z.templateLiteral(["v", z.number(), ".", z.enum(["a", "b"])]), ["v1.a", "v1.c"]],
    ];
    return cases.map(([schema, values]) => values.map((v) => { const r = schema.safeParse(v); return r.success ? r.data : r.error.issues; }));
  },

  async transforms() {
    const length = z.string().transform((s, ctx) => { if (!s) { ctx.addIssue({ code: "custom", message: "empty" }); return z.NEVER; } return s.length; }).pipe(z.number().max(3));
    const coerced = z.object({ n: z.coerce.number(), b: z.coerce.boolean(), d: z.coerce.date(), big: z.coerce.bigint(), s: z.stringbool() });
    return [issues(length, ""), issues(length, "abcd"), length.parse("abc"), coerced.parse({ n: "7", b: "x", d: "2020-01-02", big: "9007199254740993", s: "yes" }), z.preprocess((v) => String(v), z.string()).parse(7), z.string().catch("fallback").parse(7)];
  },

  async codecs() {
    const date = z.codec(z.iso.datetime(), z.date(), { decode: (s) => new Date(s), encode: (d) => d.toISOString() });
    const schema = z.object({ at: date });
    const decoded = schema.decode({ at: "2020-01-02T03:04:05.000Z" });
    check(decoded.at instanceof Date && schema.encode(decoded).at === "2020-01-02T03:04:05.000Z", "there and back");
    return [decoded.at.getTime(), schema.encode(decoded)];
  },

  async unions() {
    const shape = z.discriminatedUnion("kind", [z.object({ kind: z.literal("circle"), r: z.number() }), z.object({ kind: z.literal("square"), side: z.number() })]);
    return [shape.parse({ kind: "circle", r: 1 }), issues(shape, { kind: "line" }), issues(z.union([z.string(), z.number()]), true), z.intersection(z.object({ a: z.string() }), z.object({ b: z.number() })).parse({ a: "x", b: 1 }), issues(z.tuple([z.string(), z.number()]).rest(z.boolean()), ["a", 1, true, 0])];
  },

  async collections() {
    return [z.map(z.string(), z.number()).parse(new Map([["a", 1]])), z.set(z.string()).parse(new Set(["a"])), issues(z.record(z.enum(["a", "b"]), z.number()), { a: 1 }), z.partialRecord(z.enum(["a", "b"]), z.number()).parse({ a: 1 }), issues(z.set(z.number()).min(2), new Set([1])), issues(z.file().max(2), new File(["abc"], "a.txt")), issues(z.instanceof(Date), "x")];
  },

  async recursion() {
    const category = z.object({ name: z.string(), get children() { return z.array(category).optional(); } });
    const tree = { name: "a", children: [{ name: "b", children: [{ name: 7 }] }] };
    const lazy: z.ZodType = z.lazy(() => z.union([z.string(), z.array(lazy)]));
    return [issues(category, tree), lazy.parse(["a", ["b", ["c"]]])];
  },

  async "async-refine"() {
    const schema = z.object({ a: z.string(), b: z.string() }).refine(async ({ a, b }) => { await null; return a === b; }, { path: ["b"], error: "differs" });
    const e = await failure(() => schema.parse({ a: "x", b: "x" }));
    check((await schema.safeParseAsync({ a: "x", b: "x" })).success, "equal ones pass");
    return [e.constructor.name, (await schema.safeParseAsync({ a: "x", b: "y" })).error!.issues];
  },

  async errors() {
    const schema = z.object({ user: z.object({ name: z.string({ error: (i) => (i.input === undefined ? "wanted" : "a text, please") }), tags: z.array(z.number()) }) });
    const e = await failure(() => schema.parse({ user: { tags: [1, "x"] } }));
    check(e instanceof z.ZodError && e instanceof Error && e.name === "ZodError", "its class", e.name);
    return [e.message, z.treeifyError(e), z.flattenError(e), z.prettifyError(e), z.formatError(e)];
  },

  async locales() {
    const say = (locale: typeof z.locales.de, schema: z.ZodType, value: unknown) => schema.safeParse(value, { error: locale().localeError }).error!.issues;
    return [say(z.locales.de, z.number().min(5), 3), say(z.locales.fr, z.string(), 3), say(z.locales.ja, z.array(z.string()).max(1), ["a", "b"])];
  },

  async "json-schema"() {
    const schema = z.object({ id: z.uuid(), n: z.number().int().min(1).meta({ title: "N" }), kind: z.enum(["a", "b"]).describe("which"), at: z.iso.datetime().nullable(), list: z.array(z.union([z.string(), z.number()])).optional() });
    return [z.toJSONSchema(schema), z.toJSONSchema(schema, { target: "draft-7", io: "input" }), z.fromJSONSchema({ type: "object", properties: { a: { type: "string", minLength: 2 } }, required: ["a"] } as any).safeParse({ a: "x" }).error!.issues];
  },

  async registries() {
    const registry = z.registry<{ label: string }>();
    const name = z.string().register(registry, { label: "Name" });
    return [registry.get(name), registry.has(z.string()), z.globalRegistry.get(z.string().meta({ id: "zod-registries", note: 1 }))];
  },

  async functions() {
    const add = z.function({ input: [z.number(), z.number()], output: z.number() }).implement((a, b) => a + b);
    const e = await failure(() => (add as any)(1, "x"));
    return [add(20, 22), e.issues];
  },

  async mini() {
    mini.config(mini.locales.en()); // else it depends on whether zod itself made an error before
    const schema = mini.object({ a: mini.string().check(mini.minLength(2), mini.trim()), b: mini.optional(mini.number()) });
    return [mini.parse(schema, { a: " ab " }), mini.safeParse(schema, { a: "x", b: "y" }).error!.issues, core.safeParse(z.string(), 1).error!.issues];
  },

  // Zod compiles object parsers with new Function where it can.
  async "many-parses"() {
    const schema = z.object({ a: z.number(), b: z.string(), c: z.object({ d: z.boolean() }) });
    let good = 0;
    for (let k = 0; k < 500; k++) if (schema.safeParse({ a: k, b: k % 5 ? "x" : k, c: { d: true } }).success) good++;
    check(good === 400, "four of five parse", good);
    return good;
  },
});
