import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { Test } from "../../harness.ts";

export const openai = (t: Test) => createOpenAI({ apiKey: "key", baseURL: `${t.model}/v1` });
export const anthropic = (t: Test) => createAnthropic({ apiKey: "key", baseURL: `${t.model}/v1` });
export const google = (t: Test) => createGoogle({ apiKey: "key", baseURL: `${t.model}/v1beta` });
export const compatible = (t: Test) => createOpenAICompatible({ name: "local", apiKey: "key", baseURL: `${t.model}/v1`, includeUsage: true });
