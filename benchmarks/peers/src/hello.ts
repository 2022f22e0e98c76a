export const POST = () => Response.json({ hello: "world" });
