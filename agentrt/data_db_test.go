package agentrt_test

import "testing"

func TestDataDB(t *testing.T) {
	statement := func(message string) string { return `["TypeError","ERR_DB_STATEMENT","` + message + `"]` }
	runScenarios(t, func(files map[string]string) *app {
		a := newApp(t, files)
		addCollections(t, a)
		return a
	}, `{}`, `const { query, exec } = pb.db;`, []scenario{
		{"exec", `const c = await exec("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT, data BLOB, flag BOOLEAN, at DATETIME)");
			const one = await exec("INSERT INTO things (name, data, flag) VALUES ({:name}, {:data}, {:flag}), (?1x, NULL, NULL)".replace("?1x", "'two'"), { name: "on'e", data: new Uint8Array([0, 255]), flag: true });
			return one;`, `{"rowsAffected":2,"lastInsertId":2}`},
		{"types", `const [r] = await query("SELECT *, 1.5 AS real, 9007199254740993 AS big, 9e999 AS inf, {:d} AS d, {:j} AS j, {:n} AS n, {:b} AS b FROM things WHERE id = 1",
				{ d: new Date(0), j: { a: [1] }, n: null, b: 2n ** 60n });
			return [r.id, r.name, r.data instanceof Uint8Array && [...r.data], r.flag, r.at, r.real, String(r.big), r.inf === Infinity, r.d, r.j, r.n, r.b === 2n ** 60n];`,
			`[1,"on'e",[0,255],1,null,1.5,"9007199254740993",true,"1970-01-01 00:00:00.000Z","{\"a\":[1]}",null,true]`},
		{"positional", `return query("SELECT ? AS a, ? AS b", [1, "x?"]);`, `[{"a":1,"b":"x?"}]`},
		{"a name used twice", `return query("SELECT {:x} AS a, {:x} AS b", { x: 7 });`, `[{"a":7,"b":7}]`},
		{"no injection", `await exec("INSERT INTO things (name) VALUES ({:n})", { n: "x'); DROP TABLE things; --" }); return query("SELECT count(*) AS n FROM things");`, `[{"n":3}]`},
		{"literals with braces", `return query("SELECT '{:x} {{y}} [[z]] ''' AS a, \"name\" FROM things WHERE id = 2 -- {:comment} ;\n/* ; */");`, `[{"a":"{:x} {{y}} [[z]] '","name":"two"}]`},
		{"PocketBase's quotes", `return query("SELECT [[name]] FROM {{things}} WHERE [[id]] = {:id};", { id: 2 });`, `[{"name":"two"}]`},
		{"iterated", `let n = 0; for await (const r of query("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 100) SELECT n FROM c")) n += r.n; return n;`, `5050`},
		{"records", `await pb.collection("posts").create({ title: "t", views: 3 }); return query("SELECT title, views FROM posts");`, `[{"title":"t","views":3}]`},
		{"changes", `return [await exec("UPDATE things SET name = 'x' WHERE id < 3"), await exec("WITH a AS (SELECT 3 AS id) DELETE FROM things WHERE id IN (SELECT id FROM a)"), await exec("REPLACE INTO things (id) VALUES (1)")].map((c) => c.rowsAffected);`, `[2,1,1]`},
		{"replace() reads", `return query("WITH a AS (SELECT 'b' AS x) SELECT replace(x, 'b', 'c') AS x FROM a");`, `[{"x":"c"}]`},
		{"pragma that reads", `return (await query("PRAGMA table_info(things)")).map((r) => r.name);`, `["id","name","data","flag","at"]`},
		{"explain", `return (await query("EXPLAIN QUERY PLAN DELETE FROM things WHERE id = 1")).length;`, `1`},
		{"duplicate and empty results", `return query("SELECT 1 AS a WHERE 0");`, `[]`},
		{"query that writes", `return fails(() => query("DELETE FROM things"));`, statement(`pb.db.query() only reads: use pb.db.exec()`)},
		{"query that writes in a CTE", `return fails(() => query("WITH a AS (SELECT 1) DELETE FROM things"));`, statement(`pb.db.query() only reads: use pb.db.exec()`)},
		{"query that writes after a comment", `return fails(() => query("/* SELECT */ DELETE FROM things"));`, statement(`pb.db.query() only reads: use pb.db.exec()`)},
		{"exec that reads", `return fails(() => exec("SELECT 1"));`, statement(`pb.db.exec() is for statements that change data: use pb.db.query()`)},
		{"two statements", `return fails(() => exec("DELETE FROM things; DROP TABLE things"));`, statement(`there is more than one statement: give each to a call of its own, within pb.tx() if they belong together`)},
		{"transaction", `return [await fails(() => exec("BEGIN")), await fails(() => exec("  commit ;")), await fails(() => exec("SAVEPOINT x"))].map((e) => e[2]);`,
			`["BEGIN is not allowed: transactions are pb.tx()","COMMIT is not allowed: transactions are pb.tx()","SAVEPOINT is not allowed: transactions are pb.tx()"]`},
		{"attach", `return [await fails(() => exec("ATTACH 'x.db' AS x")), await fails(() => exec("VACUUM INTO 'x.db'"))].map((e) => e[2].slice(0, 22));`, `["ATTACH is not allowed:","VACUUM is not allowed:"]`},
		{"pragma that writes", `return [await fails(() => query("PRAGMA journal_mode = DELETE")), await fails(() => query("PRAGMA writable_schema(1)")), await fails(() => query("PRAGMA table_info = x"))].map((e) => e[2].slice(0, 32));`,
			`["PRAGMA is allowed only to read, ","PRAGMA is allowed only to read, ","PRAGMA is allowed only to read, "]`},
		{"missing parameter", `return fails(() => query("SELECT {:a}", { b: 1 }));`, statement(`the parameter {:a} has no value`)},
		{"too few values", `return fails(() => query("SELECT ?, ?", [1]));`, statement(`the statement has 2 places (?) and the array of parameters 1 values`)},
		{"both kinds", `return fails(() => query("SELECT ?, {:a}", [1]));`, statement(`a statement has either {:name} or ? as parameters, not both`)},
		{"other kinds", `return fails(() => query("SELECT :a", { a: 1 }));`, statement(`parameters are {:name} with an object, or ? with an array; \":a\" is neither`)},
		{"value of a wrong type", `return fails(() => query("SELECT {:a}", { a: undefined }));`, `["TypeError","","a parameter of SQL is a string, number, boolean, null, Date, bytes, a bigint of 64 bits or JSON, not undefined"]`},
		{"open quote", `return fails(() => query("SELECT 'x"));`, statement(`\"'x\" is not closed`)},
		{"empty", `return fails(() => query(" -- nothing"));`, statement(`the statement is empty`)},
		{"error of SQLite", `return fails(() => query("SELECT * FROM missing_table"));`, `["Error","ERR_DB","SQL logic error: no such table: missing_table (1)"]`},
		{"too many rows", `return fails(() => query("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 10001) SELECT n FROM c"));`,
			`["RangeError","ERR_DB_LIMIT","the result has more than 10000 rows: add LIMIT, or aggregate in SQL"]`},
		{"as many rows as allowed", `return (await query("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 10000) SELECT n FROM c")).length;`, `10000`},
		{"too many bytes", `return fails(() => query("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 5) SELECT CAST(zeroblob(800000) AS TEXT) AS x FROM c", {}, { timeout: 60000 }));`,
			`["RangeError","ERR_DB_LIMIT","the result is larger than 16 MiB: select fewer rows or columns"]`},
		{"too slow", `return fails(() => query("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c", {}, { timeout: 100 }));`, `["Error","ERR_DB_TIMEOUT","the statement took longer than 100ms"]`},
		{"bad timeout", `return fails(() => query("SELECT 1", {}, { timeout: -1 }));`, `["RangeError","","timeout is a number of milliseconds, not -1"]`},
	}, nil)
}

func TestDataAtTopLevel(t *testing.T) {
	for _, code := range []string{`await pb.collection("posts").getOne("x");`, `await pb.db.query("SELECT 1");`} {
		a := newApp(t, map[string]string{"routes/top.ts": `let error: any; try { ` + code + ` } catch (e) { error = e; } export const GET = () => Response.json([error.code, error.message]);`})
		if got := a.get("/top").body; got != `["ERR_TOP_LEVEL_IO","I/O is not possible at the top level of a module: it runs once, before any request; move the call into a handler"]` {
			t.Errorf("%s: got %s", code, got)
		}
	}
}
