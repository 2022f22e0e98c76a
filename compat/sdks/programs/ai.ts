// Vercel AI SDK: https://ai-sdk.dev
import { suite } from "../harness.ts";
import { faults } from "./ai/faults.ts";
import { more } from "./ai/more.ts";
import { objects } from "./ai/objects.ts";
import { text } from "./ai/text.ts";
import { tools } from "./ai/tools.ts";

export default suite("ai", { ...text, ...tools, ...objects, ...faults, ...more });
