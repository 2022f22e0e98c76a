const EventEmitter = require("events"), Stream = require("node:stream"), assert = require("assert"), { Buffer } = require("buffer");
class Emitter extends EventEmitter {}
module.exports = () => [typeof EventEmitter, typeof Stream.Readable, typeof assert, typeof assert.strict, new Emitter() instanceof EventEmitter.EventEmitter, Buffer === globalThis.Buffer];
