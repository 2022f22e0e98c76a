import { summarize } from "./summarize.ts";

// 100 KB of JSON in, its summary out.
export async function POST(req: Request): Promise<Response> {
  return Response.json(summarize((await req.json()).orders));
}
