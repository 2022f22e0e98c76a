// The topic "draft": writes a reply for a person to check and send.
import { ask, net } from "../lib/model";
import policies from "../lib/policies.md";

export const config: WorkerConfig = { concurrency: 2, timeout: "2m", maxAttempts: 8, net, secrets: [] };

export default async function draft(job: Job<{ ticket: string }>, { signal }: JobContext): Promise<void> {
  const tickets = pb.collection("tickets");
  const ticket = await tickets.getOne(job.payload.ticket).catch((e) => {
    if (e.status === 404) return null; // deleted meanwhile
    throw e;
  });
  if (ticket?.status !== "new") return; // a second attempt after a crash
  const reply = await ask({
    system: `You draft replies of a support team, in the customer's language. What we promise:\n${policies}`,
    user: `${ticket.subject}\n\n${ticket.body}`,
    signal,
  });
  await tickets.update(ticket.id, { draft: reply, status: "drafted" });
}
