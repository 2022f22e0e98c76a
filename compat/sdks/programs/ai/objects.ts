// Structured output with zod, whole and streamed.
import { NoObjectGeneratedError, Output, generateObject, generateText, stepCountIs, streamObject, streamText, tool, type LanguageModel } from "ai";
import { z } from "zod";
import { check, collect, failure, type Programs, type Test } from "../../harness.ts";
import { anthropic, google, openai } from "./models.ts";

const trip = z.object({
  city: z.string().describe("where to"),
  days: z.number().int().min(1).max(30),
  kind: z.enum(["train", "plane", "boat"]),
  stops: z.array(z.object({ name: z.string(), night: z.boolean() })).min(2),
  note: z.string().nullable(),
});
const prompt = 'Plan a trip to the city "Lisbon" of 5 days by boat with stops "Vigo" and "Porto"';

function object(model: (t: Test) => LanguageModel) {
  return async (t: Test) => {
    const { output, usage, finishReason } = await generateText({ model: model(t), output: Output.object({ schema: trip }), prompt });
    check(trip.safeParse(output).success && output.city === "Lisbon" && output.days === 5 && output.kind === "boat", "the object follows schema and prompt", output);
    return { output, usage, finishReason };
  };
}

export const objects: Programs = {
  "output-object-openai-chat": object((t) => openai(t).chat("test-model")),
  "output-object-openai-responses": object((t) => openai(t)("test-model")),
  "output-object-anthropic": object((t) => anthropic(t)("test-model")),
  "output-object-google": object((t) => google(t)("test-model")),

  async "output-array"(t) {
    const result = streamText({ model: openai(t)("test-model"), output: Output.array({ element: z.object({ name: z.string() }) }), prompt: 'List "Ada", "Grace" and "Edsger"' });
    const elements = await collect(result.elementStream);
    check(elements.length >= 1 && (await result.output).length === elements.length, "elements are streamed", elements);
    return { elements, output: await result.output };
  },

  async "output-choice"(t) {
    const { output } = await generateText({ model: openai(t)("test-model"), output: Output.choice({ options: ["sunny", "rainy", "snowy"] }), prompt: "It is rainy today" });
    check(output === "rainy", "the choice of the prompt", output);
    return output;
  },

  async "output-json"(t) {
    return (await generateText({ model: openai(t).chat("test-model"), output: Output.json(), prompt: "What is 2+2?" })).output;
  },

  async "output-partial-stream"(t) {
    const result = streamText({ model: openai(t).chat("test-model"), output: Output.object({ schema: trip }), prompt });
    const partial = await collect(result.partialOutputStream);
    check(partial.length > 3 && trip.safeParse(partial.at(-1)).success, "partial objects grow to the whole", partial.length);
    return partial;
  },

  async "output-with-tools"(t) {
    const lookup = tool({ description: "looks up a population", inputSchema: z.object({ city: z.string() }), execute: async () => 12345 });
    const { output, steps } = await generateText({
      model: openai(t)("test-model"), tools: { population: lookup }, stopWhen: stepCountIs(3),
      output: Output.object({ schema: z.object({ city: z.string(), people: z.number() }) }), prompt: 'Find the population of "Gent"',
    });
    check(steps.length === 2 && output.people === 12345, "the output uses the tool's result", output);
    return output;
  },

  async "generate-object"(t) {
    const { object } = await generateObject({ model: openai(t)("test-model"), schema: trip, prompt });
    const kinds = await generateObject({ model: openai(t)("test-model"), output: "enum", enum: ["spam", "ham"], prompt: "This is ham" });
    check(object.city === "Lisbon" && kinds.object === "ham", "both follow the prompt", object, kinds.object);
    return [object, kinds.object];
  },

  async "stream-object"(t) {
    const result = streamObject({ model: openai(t)("test-model"), schema: trip, prompt });
    const parts = await collect(result.partialObjectStream);
    check(parts.length > 3 && (await result.object).city === "Lisbon", "the parts grow", parts.length);
    return { parts, object: await result.object, usage: await result.usage };
  },

  "stream-object-response": {
    requests: [{}],
    run: (t) => streamObject({ model: openai(t)("test-model"), schema: trip, prompt, abortSignal: t.signal }).toTextStreamResponse(),
  },

  async "object-mismatch"(t) {
    const odd = z.object({ city: z.string().refine((v) => v === "Atlantis", "only Atlantis will do") });
    const e = await failure(() => generateObject({ model: openai(t)("test-model"), schema: odd, prompt: 'The city "Lisbon"' }));
    check(NoObjectGeneratedError.isInstance(e) && e.text?.includes("Lisbon"), "the error has the text", e);
    return { name: e.name, text: e.text, cause: [e.cause.name, e.cause.cause.name, e.cause.cause.issues ?? e.cause.cause.message], usage: e.usage };
  },
};
