// POST {"messages":[{"role":"user","content":"…"}], "team"?: id} -> server-sent events:
// "sources" (the passages that the model is given, numbered), "token" (the answer,
// piece by piece, with citations such as [1]) and "done" (the sources that it cites).
// Whoever asks gets passages of their own teams only: run: "caller" puts every search
// under the rules of the collection.
export const config = { auth: "user", run: "caller", timeout: "1m" };

const { OPENAI_BASE_URL = "https://api.openai.com/v1", OPENAI_API_KEY, OPENAI_MODEL = "gpt-4o-mini" } = process.env;
const instruction = "Answer from the numbered passages alone and cite each that you use, as [1]. If they do not answer the question, say so.";

interface Message { role: string; content: string }
interface Source { n: number; document: string; title: string; page: number; headings: string; text: string; start: number; end: number; score: number }

export async function POST(req: Request): Promise<Response> {
  const { messages, team } = (await req.json()) as { messages?: Message[]; team?: string };
  const question = messages?.at(-1)?.content;
  if (!messages || typeof question !== "string" || question.trim() === "" || (team !== undefined && typeof team !== "string")) {
    return Response.json({ message: 'Send {"messages":[{"role":"user","content":"a question"}]}, and the id of a team as "team" to ask only its documents.' }, { status: 400 });
  }
  const sources = await search(question, team);
  if (sources.length === 0) {
    return stream(new Response(event("sources", []) + event("token", "I found nothing about that in the documents you may read.") + event("done", [])).body!);
  }
  const context = sources.map((s) => `[${s.n}] ${s.text.replaceAll(/\s+/g, " ")}`).join("\n");
  const upstream = await fetch(`${OPENAI_BASE_URL}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${OPENAI_API_KEY}` },
    body: JSON.stringify({
      model: OPENAI_MODEL,
      stream: true,
      messages: [{ role: "system", content: instruction }, ...messages.slice(0, -1), { role: "user", content: `${context}\n\nQuestion: ${question}` }],
    }),
    signal: req.signal,
  });
  if (!upstream.ok || !upstream.body) {
    return Response.json({ message: `The model answered ${upstream.status}: ${await upstream.text()}` }, { status: 502 });
  }
  return stream(upstream.body.pipeThrough(new TextDecoderStream()).pipeThrough(cited(sources)).pipeThrough(new TextEncoderStream()));
}

async function search(question: string, team?: string): Promise<Source[]> {
  const hits = await pb.collection("passages").vectorSearch({
    text: question, field: "embedding", top: 6, minScore: 0.05, expand: "document",
    filter: team ? "team = {:team}" : "", params: { team },
  });
  return hits.map((hit, k) => ({
    n: k + 1, document: hit.document, title: hit.expand?.document?.title ?? "", page: hit.page, headings: hit.headings,
    text: hit.text, start: hit.start, end: hit.end, score: hit.score,
  }));
}

const event = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const stream = (body: ReadableStream) => new Response(body, { headers: { "content-type": "text/event-stream" } });

// The model's events in, ours out.
function cited(sources: Source[]): TransformStream<string, string> {
  let rest = "";
  let answer = "";
  return new TransformStream({
    start(controller) { controller.enqueue(event("sources", sources)); },
    transform(chunk, controller) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const data = line.startsWith("data:") ? line.slice(5).trim() : "";
        if (data === "" || data === "[DONE]") continue;
        const { choices, error } = JSON.parse(data);
        if (error) throw new Error(error.message);
        const token = choices[0]?.delta?.content;
        if (!token) continue;
        answer += token;
        controller.enqueue(event("token", token));
      }
    },
    flush(controller) { controller.enqueue(event("done", sources.filter((s) => answer.includes(`[${s.n}]`)))); },
  });
}
