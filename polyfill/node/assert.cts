// For require("assert"), which gives the function itself.
import assert from "./assert.ts";
export = assert;
