// A chat on the Vercel AI SDK. Provider and models are made once, at module level.
import { createOpenAI } from "@ai-sdk/openai";
import { streamText } from "ai";

const provider = createOpenAI({ apiKey: "none", baseURL: process.env.MODEL + "/v1" });
const models = Object.fromEntries(JSON.parse(process.env.MODELS!).map((name: string) => [name, provider.chat(name)]));

export async function POST(req: Request): Promise<Response> {
  const { model, messages } = await req.json();
  return streamText({ model: models[model]!, messages, abortSignal: req.signal }).toUIMessageStreamResponse();
}
