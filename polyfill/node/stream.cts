// For require("stream"), which gives the base class itself.
import Stream from "./stream.ts";
export = Stream;
