package agentrt_test

import (
	"strings"
	"testing"
	"time"

	"github.com/agentrt/agentrt/hostfn/pb/kvstore"
	"github.com/pocketbase/dbx"
)

func TestDataKV(t *testing.T) {
	runScenarios(t, func(files map[string]string) *app { return newApp(t, files) }, `{}`, "", []scenario{
		{"absent", `return [await pb.kv.get("none"), await pb.kv.getWithVersion("none"), await pb.kv.delete("none")];`,
			`[null,{"value":null,"version":0},false]`},
		{"JSON", `
			const values = [null, true, 0, -1.5, "grüße \ud800", [1, [2]], { a: { b: "<&>" }, __proto__: null }, 1e300, ""];
			const got = [];
			for (const v of values) { await pb.kv.set("json", v); got.push(await pb.kv.get("json")); }
			return got;`, `[null,true,0,-1.5,"grüße \ud800",[1,[2]],{"a":{"b":"<&>"}},1e+300,""]`},
		{"toJSON", `await pb.kv.set("date", new Date(0)); return pb.kv.get("date");`, `"1970-01-01T00:00:00.000Z"`},
		{"bytes", `
			const got = [];
			for (const b of [new Uint8Array([1, 0, 255]), new Uint8Array([7, 8, 9]).subarray(1), new Uint16Array([258]), new Uint8Array([5]).buffer, new ArrayBuffer(0)]) {
				await pb.kv.set("bytes", b);
				const v = await pb.kv.get("bytes");
				got.push(v instanceof Uint8Array, [...v]);
			}
			return got;`, `[true,[1,0,255],true,[8,9],true,[2,1],true,[5],true,[]]`},
		{"replace and delete", `
			await pb.kv.set("k", 1); await pb.kv.set("k", "two");
			return [await pb.kv.get("k"), await pb.kv.delete("k"), await pb.kv.delete("k"), await pb.kv.get("k")];`, `["two",true,false,null]`},
		{"versions", `
			const first = await pb.kv.set("v", "a", { ifVersion: 0 });
			const second = await pb.kv.set("v", "b", { ifVersion: first });
			const got = await pb.kv.getWithVersion("v");
			return [second > first, got.version === second, got.value,
				await failure(() => pb.kv.set("v", "c", { ifVersion: 0 })),
				await failure(() => pb.kv.set("v", "c", { ifVersion: first })),
				await failure(() => pb.kv.delete("v", { ifVersion: first })),
				await pb.kv.delete("v", { ifVersion: second }),
				await failure(() => pb.kv.set("v", "c", { ifVersion: second })),
				await pb.kv.set("v", "again", { ifVersion: 0 }) > second];`,
			`[true,true,"b"` + strings.Repeat(`,"Error | ERR_KV_CONFLICT | 409 | pb.kv: the value was changed in between: its version is another one"`, 3) +
				`,true,"Error | ERR_KV_CONFLICT | 409 | pb.kv: the value was changed in between: its version is another one",true]`},
		{"one of many wins", `
			const results = await Promise.allSettled(Array.from({ length: 20 }, (_, k) => pb.kv.set("race", k, { ifVersion: 0 })));
			return results.filter((r) => r.status === "fulfilled").length;`, `1`},
		{"incr", `
			return [await pb.kv.incr("n"), await pb.kv.incr("n", 5), await pb.kv.incr("n", -8), await pb.kv.incr("n", 0), await pb.kv.get("n"),
				(await pb.kv.set("n", 40), await pb.kv.incr("n", 2)), (await pb.kv.set("n", -7), await pb.kv.incr("n"))];`, `[1,6,-2,-2,-2,42,-6]`},
		{"incr at once", `
			const sums = await Promise.all(Array.from({ length: 100 }, () => pb.kv.incr("many")));
			return [new Set(sums).size, Math.max(...sums), await pb.kv.get("many")];`, `[100,100,100]`},
		{"incr of other values", `
			await pb.kv.set("text", "5"); await pb.kv.set("half", 0.5); await pb.kv.set("five", new Uint8Array([53]));
			await pb.kv.set("max", Number.MAX_SAFE_INTEGER); await pb.kv.set("beyond", 2 ** 53);
			return [await failure(() => pb.kv.incr("text")), await failure(() => pb.kv.incr("half")), await failure(() => pb.kv.incr("five")),
				await failure(() => pb.kv.incr("beyond")), await failure(() => pb.kv.incr("max")), await pb.kv.get("max"), await failure(() => pb.kv.incr("n", 0.5)), await failure(() => pb.kv.incr("n", "1" as any))];`,
			`[` + strings.Repeat(`"TypeError | ERR_KV_NOT_INTEGER | 400 | pb.kv: the value is not an integer",`, 4) +
				`"RangeError | ERR_KV_RANGE | 400 | pb.kv: the sum is beyond the integers that are exact in JavaScript (±9,007,199,254,740,991)",9007199254740991,` +
				`"RangeError | pb.kv: by is an integer from -9007199254740991 to 9007199254740991, not 0.5","RangeError | pb.kv: by is an integer from -9007199254740991 to 9007199254740991, not 1"]`},
		{"transactions", `
			const failed = await failure(() => pb.tx(async (tx) => { await tx.kv.set("tx", 1); await Promise.all([pb.kv.incr("txn"), pb.kv.incr("txn")]); throw new Error("no " + await tx.kv.get("txn")); }));
			const after = [await pb.kv.get("tx"), await pb.kv.get("txn")];
			await pb.tx(async (tx) => { await tx.kv.set("tx", 1); await pb.kv.incr("txn"); });
			return [failed, after, await pb.kv.getMany(["tx", "txn"])];`, `["Error | no 2",[null,null],[1,1]]`},
		{"ttl", `
			const sleep = (ms: number) => new Promise((r) => setTimeout(r, ms));
			await pb.kv.set("t", "x", { ttl: 0.05 }); await pb.kv.set("long", 1, { ttl: 3600 }); await pb.kv.incr("window", 1, { ttl: 0.05 });
			const before = [await pb.kv.get("long"), await pb.kv.set("t2", 1, { ttl: 0.05 }) > 0];
			await pb.kv.set("t2", 2);
			await sleep(120);
			return [before, await pb.kv.get("t"), await pb.kv.getMany(["t", "t2", "long"]), (await pb.kv.list("t")).items.map((i) => i.key).filter((k) => k === "t"),
				await pb.kv.delete("t"), await pb.kv.set("t", 1, { ifVersion: 0 }) > 0, await pb.kv.incr("window", 7), await pb.kv.incr("window")];`,
			`[[1,true],null,[null,2,1],[],false,true,7,8]`},
		{"ttl of a counter is set once", `
			await pb.kv.incr("w2", 1, { ttl: 0.1 });
			await pb.kv.incr("w2", 1, { ttl: 3600 });
			await new Promise((r) => setTimeout(r, 200));
			return pb.kv.get("w2");`, `null`},
		{"wrong ttl", `return [await failure(() => pb.kv.set("k", 1, { ttl: 0 })), await failure(() => pb.kv.set("k", 1, { ttl: -1 })), await failure(() => pb.kv.set("k", 1, { ttl: NaN })), await failure(() => pb.kv.incr("k", 1, { ttl: 1e12 }))];`,
			`["RangeError | ERR_KV_TTL | 400 | pb.kv: ttl is a number of seconds above 0 and at most 315360000 (ten years), not 0",` +
				`"RangeError | ERR_KV_TTL | 400 | pb.kv: ttl is a number of seconds above 0 and at most 315360000 (ten years), not -1",` +
				`"TypeError | pb.kv: ttl is a number of seconds, not NaN",` +
				`"RangeError | ERR_KV_TTL | 400 | pb.kv: ttl is a number of seconds above 0 and at most 315360000 (ten years), not 1e+12"]`},
		{"list", `
			for (const k of ["l/a", "l/b", "l/c", "l0", "l", "l/ü", "l/\u{10ffff}", "l/\ue001"]) await pb.kv.set(k, k === "l/b" ? new Uint8Array([1]) : k.length);
			const keys = async (p?: string, o?: object) => { const r = await pb.kv.list(p, o); return [r.items.map((i) => i.key.length < 4 ? i.key : "wide"), r.cursor?.length ?? null]; };
			const page = await pb.kv.list("l/", { limit: 2 });
			return [await keys("l/"), await keys("l/", { limit: 2 }), await keys("l/", { limit: 2, cursor: page.cursor }), await keys("l/ü"), await keys("l/\ue001"), await keys("l/\u{10ffff}"), await keys("nothing"),
				page.items[1]!.value, page.items[0]!.value, page.items[0]!.version > 0, (await pb.kv.list()).items.length > 8];`,
			`[[["l/a","l/b","l/c","l/ü","l/","wide"],null],[["l/a","l/b"],3],[["l/c","l/ü"],3],[["l/ü"],null],[["l/"],null],[["wide"],null],[[],null],{"0":1},3,true,true]`},
		{"pages", `
			await Promise.all(Array.from({ length: 1005 }, (_, k) => pb.kv.set("p/" + String(k).padStart(4, "0"), k)));
			const one = await pb.kv.list("p/"), two = await pb.kv.list("p/", { cursor: one.cursor });
			return [one.items.length, one.cursor, two.items.map((i) => i.value), two.cursor, (await pb.kv.getMany(one.items.map((i) => i.key))).length];`,
			`[1000,"p/0999",[1000,1001,1002,1003,1004],null,1000]`},
		{"pages of large values", `
			for (let k = 0; k < 10; k++) await pb.kv.set("big/" + k, new Uint8Array(1 << 20).fill(k));
			const one = await pb.kv.list("big/"), two = await pb.kv.list("big/", { cursor: one.cursor });
			return [one.items.length, two.items.length, one.items.concat(two.items).every((i, k) => i.value.length === 1 << 20 && i.value[9] === k),
				await failure(() => pb.kv.getMany(Array.from({ length: 9 }, (_, k) => "big/" + k))), await failure(() => pb.kv.getMany(Array(9).fill("big/1"))), (await pb.kv.getMany(["big/3", "big/3", "gone"])).map((v) => v?.[0])];`,
			`[8,2,true,"RangeError | ERR_KV_PAGE_SIZE | 400 | pb.kv: at most 1,000 keys and 8,388,608 bytes of values can be read at once",` +
				`"RangeError | ERR_KV_PAGE_SIZE | 400 | pb.kv: at most 1,000 keys and 8,388,608 bytes of values can be read at once",[3,3,null]]`},
		{"getMany", `await pb.kv.set("m1", 1); await pb.kv.set("m2", new Uint8Array([2])); return [await pb.kv.getMany(["m2", "gone", "m1", "m2"]), await pb.kv.getMany([])];`,
			`[[{"0":2},null,1,{"0":2}],[]]`},
		{"keys", `
			const long = "ü".repeat(256);
			await pb.kv.set(long, 1); await pb.kv.set("nul\0'\";--", 2);
			return [await pb.kv.get(long), await pb.kv.get("nul\0'\";--"), await pb.kv.get("nul"), await failure(() => pb.kv.set(long + "x", 1)), await failure(() => pb.kv.get("")), await failure(() => pb.kv.delete("\ud800")),
				await failure(() => pb.kv.get(5 as any)), await failure(() => pb.kv.getMany("k" as any)), await failure(() => pb.kv.getMany(Array(1001).fill("k"))), await failure(() => pb.kv.list("k", { limit: 1001 }))];`,
			`[1,2,null,"RangeError | pb.kv.set(): a key has 1 to 512 bytes of UTF-8","RangeError | pb.kv.get(): a key has 1 to 512 bytes of UTF-8","RangeError | pb.kv.delete(): the key has half of a surrogate pair",` +
				`"TypeError | pb.kv.get(): a key is a string, not number","TypeError | pb.kv.getMany() takes an array of keys","RangeError | pb.kv.getMany() takes at most 1000 keys, not 1001","RangeError | pb.kv: limit is an integer from 1 to 1000, not 1001"]`},
		{"values", `
			const most = "x".repeat((1 << 20) - 2);
			await pb.kv.set("most", most); await pb.kv.set("mostBytes", new Uint8Array(1 << 20));
			return [(await pb.kv.get("most")) === most, await failure(() => pb.kv.set("k2", most + "x")), await failure(() => pb.kv.set("k2", new Uint8Array((1 << 20) + 1))), await failure(() => pb.kv.set("k2", undefined)),
				await failure(() => pb.kv.set("k2", () => 1)), await failure(() => pb.kv.set("k2", { toJSON() {} })), (await failure(() => pb.kv.set("k2", 1n))).slice(0, 9), await pb.kv.get("k2")];`,
			`[true,"RangeError | ERR_KV_VALUE_SIZE | 413 | pb.kv: a value must not have more than 1,048,576 bytes","RangeError | ERR_KV_VALUE_SIZE | 413 | pb.kv: a value must not have more than 1,048,576 bytes",` +
				`"TypeError | pb.kv.set(): undefined has no JSON; use null, or pb.kv.delete()","TypeError | pb.kv.set(): function has no JSON; use null, or pb.kv.delete()","TypeError | ERR_KV_VALUE | 400 | pb.kv: the value has no JSON","TypeError",null]`},
	}, nil)
}

func TestDataKVAtTopLevel(t *testing.T) {
	a := newApp(t, map[string]string{"routes/k.ts": `
		let error = "none";
		try { await pb.kv.get("k"); } catch (e: any) { error = e.code + ": " + e.message; }
		export const GET = () => new Response(error);`})
	if got := a.get("/k").body; !strings.HasPrefix(got, "ERR_TOP_LEVEL_IO: ") {
		t.Errorf("got %q", got)
	}
}

func TestDataKVSweep(t *testing.T) {
	a := newApp(t, nil)
	ctx := t.Context()
	for k, ttl := range map[string]time.Duration{"a": time.Millisecond, "b": time.Millisecond, "c": time.Hour, "d": 0} {
		if _, err := kvstore.Set(ctx, a.PocketBase, k, []byte("1"), kvstore.JSON, kvstore.SetOptions{TTL: ttl}); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(5 * time.Millisecond)
	n, err := kvstore.Sweep(ctx, a.PocketBase)
	if n != 2 || err != nil {
		t.Errorf("%d rows removed, %v; want 2", n, err)
	}
	var left int
	if err := a.DB().NewQuery(`SELECT count(*) FROM "_agentrt_kv" WHERE "key" IN ('c', 'd') AND "value" IS NOT {:none}`).Bind(dbx.Params{"none": nil}).Row(&left); err != nil || left != 2 {
		t.Errorf("%d rows left, %v; want 2", left, err)
	}
}
