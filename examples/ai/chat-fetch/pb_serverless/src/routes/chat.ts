// POST {"messages":[{"role":"user","content":"…"}]} -> the answer's tokens as text.
// Any OpenAI-compatible server; no npm package.
const { OPENAI_BASE_URL = "https://api.openai.com/v1", OPENAI_API_KEY, OPENAI_MODEL = "gpt-4o-mini" } = process.env;

export async function POST(req: Request): Promise<Response> {
  const { messages } = await req.json();
  const upstream = await fetch(`${OPENAI_BASE_URL}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${OPENAI_API_KEY}` },
    body: JSON.stringify({ model: OPENAI_MODEL, messages, stream: true }),
    signal: req.signal,
  });
  if (!upstream.ok || !upstream.body) {
    return Response.json({ message: `The model answered ${upstream.status}: ${await upstream.text()}` }, { status: 502 });
  }
  const text = upstream.body.pipeThrough(new TextDecoderStream()).pipeThrough(tokens()).pipeThrough(new TextEncoderStream());
  return new Response(text, { headers: { "content-type": "text/plain; charset=utf-8" } });
}

// Server-sent events in, the text of each delta out.
function tokens(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const data = line.startsWith("data:") ? line.slice(5).trim() : "";
        if (data === "" || data === "[DONE]") continue;
        const { choices, error } = JSON.parse(data);
        if (error) throw new Error(error.message);
        const token = choices[0]?.delta?.content;
        if (token) controller.enqueue(token);
      }
    },
  });
}
