// https://encoding.spec.whatwg.org/
export { TextDecoder, TextEncoder } from "./encoding/text.ts";
export { TextDecoderStream, TextEncoderStream } from "./encoding/text_streams.ts";
export { utf8Decode, utf8Encode } from "./encoding/utf8.ts";
