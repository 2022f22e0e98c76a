// Every event of the provider is parsed and sent in another form.
export async function POST(req: Request): Promise<Response> {
  const upstream = await fetch(process.env.MODEL + "/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: await req.text(),
    signal: req.signal,
  });
  let rest = "";
  const events = upstream.body!
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TransformStream<string, string>({
      transform(text, controller) {
        const frames = (rest + text).split("\n\n");
        rest = frames.pop()!;
        for (const frame of frames) {
          if (!frame.startsWith("data: ")) continue;
          const data = frame.slice(6);
          if (data === "[DONE]") {
            controller.enqueue("data: [DONE]\n\n");
            continue;
          }
          const chunk = JSON.parse(data);
          controller.enqueue(`data: ${JSON.stringify({ text: chunk.choices[0]?.delta.content ?? "", sent_ns: chunk.sent_ns })}\n\n`);
        }
      },
    }))
    .pipeThrough(new TextEncoderStream());
  return new Response(events, { headers: { "content-type": "text/event-stream" } });
}
