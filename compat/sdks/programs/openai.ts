// OpenAI SDK: https://github.com/openai/openai-node
import { suite } from "../harness.ts";
import { chat } from "./openai/chat.ts";
import { responses } from "./openai/responses.ts";
import { rest } from "./openai/rest.ts";

export default suite("openai", { ...chat, ...responses, ...rest });
