// A new ticket gets a category and a priority from the model, and a job that drafts
// a reply. Without the model it still gets the job, which is tried again.
import { ask, net } from "../lib/model";

const categories = ["billing", "bug", "account", "other"];
const priorities = ["normal", "high"];

const schema = {
  type: "object",
  properties: { category: { type: "string", enum: categories }, priority: { type: "string", enum: priorities } },
  required: ["category", "priority"],
  additionalProperties: false,
};

async function classify(subject: string, body: string): Promise<{ category: string; priority: string }> {
  try {
    const answer = JSON.parse(await ask({
      system: "You sort the tickets of a support inbox.",
      user: `${subject}\n\n${body}`,
      schema,
      signal: AbortSignal.timeout(10_000),
    }));
    if (categories.includes(answer.category) && priorities.includes(answer.priority)) return answer;
    console.warn("the model gave no category", answer);
  } catch (e) {
    console.error("the ticket was not classified", e);
  }
  return { category: "other", priority: "normal" };
}

pb.onRecordAfterCreate("tickets", async ({ record }) => {
  const { category, priority } = await classify(record.subject, record.body);
  // Both or neither: the job exists if the ticket was changed.
  await pb.tx(async (tx) => {
    await tx.collection("tickets").update(record.id, { category, priority, status: "new" });
    await tx.jobs.enqueue("draft", { ticket: record.id }, { uniqueKey: record.id, priority: priority === "high" ? 1 : 2 });
  });
}, { net, secrets: [] });
