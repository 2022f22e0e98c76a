// A chat on the OpenAI SDK, sent on as events.
import OpenAI from "openai";

const client = new OpenAI({ apiKey: "none", baseURL: process.env.MODEL + "/v1" });

export async function POST(req: Request): Promise<Response> {
  const body = (await req.json()) as OpenAI.ChatCompletionCreateParamsStreaming;
  const chunks = await client.chat.completions.create(body, { signal: req.signal });
  const encoder = new TextEncoder();
  const events = new ReadableStream<Uint8Array>({
    async start(controller) {
      for await (const chunk of chunks) {
        const text = chunk.choices[0]?.delta.content;
        if (text) controller.enqueue(encoder.encode(`data: ${JSON.stringify({ text })}\n\n`));
      }
      controller.enqueue(encoder.encode("data: [DONE]\n\n"));
      controller.close();
    },
  });
  return new Response(events, { headers: { "content-type": "text/event-stream" } });
}
