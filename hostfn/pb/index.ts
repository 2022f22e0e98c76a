// The global pb, put together from its parts.

import { as, recordClient } from "./collection.ts";
import { db } from "./db.ts";
import { embed } from "./embeddings.ts";
import { ClientResponseError } from "./error.ts";
import { ValidationError, events } from "./events.ts";
import { files } from "./files.ts";
import { host } from "./host.ts";
import { jobs } from "./jobs.ts";
import { kv } from "./kv.ts";
import { secrets } from "./secrets.ts";
import { txOf } from "./tx.ts";
import { utils } from "./utils.ts";

const pb: Record<string, unknown> = { ...recordClient(undefined), as, ClientResponseError, db, embed, files, host, jobs, kv, secrets, tx: txOf(() => pb), ...events, utils };

/** Defines the global. */
export function install(define: (name: string, value: unknown) => void): void {
  define("pb", pb);
  define("ValidationError", ValidationError);
}
