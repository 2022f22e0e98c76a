// For require("events"), which gives the class itself.
import EventEmitter from "./events.ts";
export = EventEmitter;
