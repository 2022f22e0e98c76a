// On workdays at seven: tells a chat channel what waits for a person.
const webhook = process.env.DIGEST_WEBHOOK;

export const schedule = "0 7 * * 1-5";
export const timezone = "Europe/Berlin";
export const config: AccessConfig = { net: webhook ? [new URL(webhook).host] : [], secrets: [] };

export default async function digest(): Promise<void> {
  const now = new Date();
  const since = await pb.kv.get<string>("digest:last") ?? new Date(0).toISOString();
  const waiting = await pb.collection("tickets").getFullList({ filter: "status != 'answered'", sort: "priority,created", fields: "subject,category,priority,created" });
  const fresh = waiting.filter((t) => new Date(t.created) > new Date(since)).length;
  const lines = waiting.slice(0, 20).map((t) => `- [${t.priority || "?"}, ${t.category || "?"}] ${t.subject}`);
  const text = [`${waiting.length} tickets wait, ${fresh} of them are new.`, ...lines].join("\n");
  if (!webhook) {
    console.log(text);
  } else {
    const response = await fetch(webhook, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ text }) });
    if (!response.ok) throw new Error(`The webhook answered ${response.status}: ${await response.text()}`);
  }
  await pb.kv.set("digest:last", now.toISOString());
}
