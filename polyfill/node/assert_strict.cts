// For require("assert/strict"), which gives the function itself.
import { strict } from "./assert.ts";
export = strict;
