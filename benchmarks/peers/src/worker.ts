// Serves the workloads under workerd.
import { answer } from "./answer.ts";

export default { fetch: (req: Request) => answer(req) };
