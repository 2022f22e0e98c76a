// POST {"messages":[{"role":"user","content":"…"}]} -> the answer's tokens as text,
// by the Vercel AI SDK. The model stands at the top level: it is made once.
import { createOpenAI } from "@ai-sdk/openai";
import { streamText, type ModelMessage } from "ai";

const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: process.env.OPENAI_API_KEY });
const model = openai.chat(process.env.OPENAI_MODEL ?? "gpt-4o-mini");

export async function POST(req: Request): Promise<Response> {
  const { messages } = (await req.json()) as { messages: ModelMessage[] };
  return streamText({ model, messages, abortSignal: req.signal }).toTextStreamResponse();
}
