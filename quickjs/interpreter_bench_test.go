package quickjs_test

import "testing"

// interpreterSource has loops as they are in SDKs: bytes of an event stream,
// properties, closures, methods, texts.
const interpreterSource = `
const bytes = new Uint8Array(300).fill(97);
export const scan = () => {
	let n = 0;
	for (let k = 0; k < 10; k++) {
		for (let i = 0; i < bytes.length - 1; i++) {
			if (bytes[i] === 10 && bytes[i + 1] === 10) return i;
			if (bytes[i] === 13 && bytes[i + 1] === 13) return i;
			n++;
		}
	}
	return n;
};
const point = { x: 1, y: 2, z: { deep: 3 } };
export const properties = () => {
	let n = 0;
	for (let i = 0; i < 1000; i++) { n += point.x + point.z.deep; point.y = n; }
	return n;
};
class Counter { #n = 0; v = 0; add(d) { this.v += d; return this.v; } hidden(d) { this.#n += d; return this.#n; } }
export const methods = () => {
	const c = new Counter();
	let n = 0;
	for (let i = 0; i < 1000; i++) n += c.add(i) + c.hidden(i);
	return n;
};
export const closures = () => {
	let n = 0;
	for (let i = 0; i < 300; i++) [i, i + 1, i + 2].map((v) => v + i).forEach((v) => { n += v; });
	return n;
};
export const objects = () => {
	let n = 0;
	for (let i = 0; i < 300; i++) {
		const o = { type: "text-delta", id: i, delta: "abc" };
		const { type, ...rest } = { ...o, more: true };
		n += rest.id + type.length;
	}
	return n;
};
export const json = () => {
	let n = 0;
	for (let i = 0; i < 50; i++) {
		const v = JSON.parse('{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":null}]}');
		n += JSON.stringify({ text: v.choices[0].delta.content }).length;
	}
	return n;
};
export const awaits = async () => {
	let n = 0;
	const one = async (v) => v + 1;
	for (let i = 0; i < 300; i++) n = await one(n);
	return n;
};
export const generators = async () => {
	async function* numbers() { for (let i = 0; i < 200; i++) yield i; }
	let n = 0;
	for await (const v of numbers()) n += v;
	return n;
};
`

// BenchmarkInterpreter runs each function of interpreterSource.
func BenchmarkInterpreter(b *testing.B) {
	i := newInstance(b, newSnapshot(b, benchEngine(b), interpreterSource))
	for _, name := range []string{"scan", "properties", "methods", "closures", "objects", "json", "awaits", "generators"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := i.Call(b.Context(), "main.js", name, nil, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
