// Cuts a document into passages. The vectors of these are made by the option embed of
// the field passages.embedding, a moment later.
export const config: WorkerConfig = { concurrency: 2, timeout: "5m", maxAttempts: 3 };

type Doc = Record<string, any> & { id: string };

export default async function ({ payload }: Job<{ id: string }>): Promise<void> {
  const [doc] = (await pb.collection("documents").getList<Doc>(1, 1, { filter: "id = {:id}", params: payload })).items;
  if (!doc) return; // deleted meanwhile
  try {
    await removePassages(doc);
    await addPassages(doc);
    await pb.collection("documents").update(doc.id, { status: "ready", error: "" });
  } catch (e: any) {
    console.error("indexing", doc.id, e);
    await removePassages(doc);
    await pb.collection("documents").update(doc.id, { status: "failed", error: String(e.message).slice(0, 2000) });
  }
}

async function addPassages(doc: Doc): Promise<void> {
  const { text, format, pages } = await read(doc);
  const chunks = pb.utils.chunk(text, { size: 150, overlap: 20, format });
  if (chunks.length === 0) throw new Error("there is no text in it");
  const slice = 100; // a batch is a transaction: a short one lets other writes through
  for (let k = 0; k < chunks.length; k += slice) {
    const batch = pb.createBatch();
    for (const c of chunks.slice(k, k + slice)) {
      batch.collection("passages").create({
        document: doc.id, team: doc.team, headings: c.headings.join(" > "), text: c.text, start: c.start, end: c.end,
        page: pages.findLast((p) => p.start <= c.start)?.number ?? 0,
      });
    }
    await batch.send();
  }
}

async function read(doc: Doc): Promise<ExtractedText> {
  if (!doc.file) return { text: doc.text, format: "markdown", title: "", pages: [] };
  return pb.utils.extractText(await pb.files.read("documents", doc.id, doc.file), { filename: doc.file });
}

async function removePassages(doc: Doc): Promise<void> {
  for (const old of await pb.collection("passages").getFullList({ filter: "document = {:id}", params: { id: doc.id }, fields: "id" })) {
    await pb.collection("passages").delete(old.id);
  }
}
