import OpenAI, { type ClientOptions } from "openai";
import type { Test } from "../../harness.ts";

export const client = (t: Test, options: ClientOptions = {}) => new OpenAI({ apiKey: "key", baseURL: `${t.model}/v1`, maxRetries: 0, ...options });

export const weatherTool = {
  type: "function",
  function: {
    name: "get_weather", description: "the weather of a city", strict: true,
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false },
  },
} as const;
