import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { tool } from "langchain";
import { z } from "zod";
import type { Test } from "../../harness.ts";

export const chat = (t: Test, model = "test-model") => new ChatOpenAI({ model, apiKey: "key", maxRetries: 0, configuration: { baseURL: `${t.model}/v1` } });
export const embeddings = (t: Test) => new OpenAIEmbeddings({ model: "test-embedding", apiKey: "key", dimensions: 64, configuration: { baseURL: `${t.model}/v1` } });

export const weather = tool(async ({ city }) => `clear over ${city}`, { name: "get_weather", description: "the weather of a city", schema: z.object({ city: z.string() }) });

/** A message without its ids. */
export const brief = (m: any) => ({ type: m.type, content: m.content, ...(m.tool_calls?.length ? { calls: m.tool_calls.map((c: any) => [c.name, c.args]) } : {}), ...(m.usage_metadata ? { usage: m.usage_metadata } : {}) });
