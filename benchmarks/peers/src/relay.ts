// The provider's stream as it comes.
export async function POST(req: Request): Promise<Response> {
  return fetch(process.env.MODEL + "/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: await req.text(),
    signal: req.signal,
  });
}
