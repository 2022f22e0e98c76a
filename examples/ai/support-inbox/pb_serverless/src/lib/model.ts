// One answer of any OpenAI-compatible server; no npm package.
const { OPENAI_BASE_URL = "https://api.openai.com/v1", OPENAI_API_KEY, OPENAI_MODEL = "gpt-4o-mini" } = process.env;

/** The only destination that the code around the model may reach. */
export const net = [new URL(OPENAI_BASE_URL).host];

interface Question {
  system: string;
  user: string;
  /** A JSON schema that the answer has to fit. */
  schema?: object;
  signal?: AbortSignal;
}

export async function ask({ system, user, schema, signal }: Question): Promise<string> {
  const response = await fetch(`${OPENAI_BASE_URL}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${OPENAI_API_KEY}` },
    body: JSON.stringify({
      model: OPENAI_MODEL,
      messages: [{ role: "system", content: system }, { role: "user", content: user }],
      response_format: schema && { type: "json_schema", json_schema: { name: "answer", strict: true, schema } },
    }),
    signal,
  });
  if (!response.ok) throw new Error(`The model answered ${response.status}: ${await response.text()}`);
  return (await response.json()).choices[0].message.content;
}
