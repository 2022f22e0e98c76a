export function GET(req: Request, ctx: RouteContext): Response {
  const name = new URL(req.url).searchParams.get("name") ?? "world";
  return Response.json({ message: `Hello, ${name}!`, requestId: ctx.requestId });
}
