// Package synthetic writes JavaScript of a given size for measurements.
package synthetic

import (
	"fmt"
	"strings"
)

// Library returns an ES module of about kib KiB that builds classes, closures
// and objects as an SDK does, and exports hello(head), which greets head.name
// and counts what was built.
func Library(kib int) string {
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
export const hello = (head) => ({ hello: head?.name ?? "world", n: registry.length });`
}
