package benchmarks

import (
	"fmt"
	"strings"
)

// library returns about kib KiB of JavaScript that builds classes, closures and
// objects as an SDK does, with the exports that the workloads call.
func library(kib int) string {
	var b strings.Builder
	b.WriteString("const registry = [];")
	for n := 0; b.Len() < kib<<10; n++ {
		fmt.Fprintf(&b, `
class Resource%[1]d { #id = %[1]d; constructor(client) { this.client = client; }
  list(query = {}, options) { return this.client.get("/v1/resource%[1]d", { query, ...options }); }
  async create(body, options) { const r = await this.client.post("/v1/resource%[1]d", { body, ...options }); return { id: this.#id, ...r }; } }
registry.push({ name: "resource%[1]d", make: (client) => new Resource%[1]d(client), defaults: { limit: %[1]d, tags: ["a%[1]d", "b"] } });`, n)
	}
	return b.String() + `
const nop = __host.op("nop"), nopLater = __host.op("nopLater"), take = __host.op("take"), give = __host.op("give");
export const hello = (head) => ({ hello: head?.name ?? "world", n: registry.length });
export const nops = (n) => { for (let k = 0; k < n; k++) nop(); };
export const nopsLater = async (n) => { for (let k = 0; k < n; k++) await nopLater(); };
export const takes = (n) => { const b = new Uint8Array(65536); for (let k = 0; k < n; k++) take(undefined, b); };
export const gives = (n) => { for (let k = 0; k < n; k++) give(); };`
}
