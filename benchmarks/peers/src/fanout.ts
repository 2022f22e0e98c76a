// Ten fetches at once, their answers put together.
export async function POST(): Promise<Response> {
  const answers = await Promise.all(Array.from({ length: 10 }, async () => {
    const res = await fetch(process.env.MODEL + "/v1/models");
    const { data } = (await res.json()) as { data: { id: string }[] };
    return data.length;
  }));
  return Response.json({ answers });
}
