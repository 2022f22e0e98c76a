// Package modelserver is a deterministic model server for demonstrations, tests and
// benchmarks. It speaks the HTTP APIs of OpenAI, Anthropic and Gemini closely enough
// for their SDKs, needs no key and no network, and answers by the rule below: the
// same request gets the same text, whenever and wherever it is sent. Only
// identifiers and times differ.
//
//	http.ListenAndServe("127.0.0.1:8080", modelserver.New(modelserver.Config{}))
//
// # Routes
//
//	POST /v1/chat/completions                       streamed or whole; tools, structured output, n, stop
//	POST /v1/responses                              streamed or whole; previous_response_id; see Hosted tools
//	GET, DELETE /v1/responses/ID
//	POST /v1/embeddings                             see package hashing
//	GET  /v1/models, /v1/models/ID                  any name may be used, three are listed
//	POST /v1/files   GET /v1/files, /v1/files/ID, /v1/files/ID/content   DELETE /v1/files/ID
//	POST /v1/images/generations                     PNG files of one pixel
//	POST /v1/messages, /v1/messages/count_tokens    Anthropic
//	POST /v1beta/models/MODEL:generateContent       Gemini, also below /v1/; streamGenerateContent (with alt=sse
//	                                                events, else a JSON array), countTokens,
//	                                                embedContent and batchEmbedContents; GET /v1beta/models
//	POST /api/chat, /api/generate, /api/embed       Ollama, lines of JSON or whole; GET /api/tags, /api/version
//	POST, DELETE /mcp                               an MCP server (Streamable HTTP, sessions): the tools
//	                                                reverse_text, add_numbers, count_up, a resource, a prompt
//	GET  /_test/requests[?limit=N]                  the last 256 requests: {"requests": []Request}
//	GET  /_test/stats                               Stats
//	POST /_test/reset                               Server.Reset
//
// Errors have the provider's shape: Anthropic's with the header anthropic-version or
// on /v1/messages, Google's below /v1beta/ or with x-goog-api-key, Ollama's below /api/, else OpenAI's.
//
// # The rule
//
// The question is the last message of the user. If that message brings documents (a
// line that begins with "Context:", "Context information is below", "Documents:",
// "[label]", "<document" or the like),
// the question is what follows "Question:", else the last line. The first that
// applies gives the answer:
//
//  1. "repeat: X", "echo: X", "say: X" and "say X" give X (but not if a tool must be
//     called or the answer must be JSON).
//  2. Tools that the question names are called, all at once, or one after the other if
//     parallel calls are switched off. A tool is named by its name or all meaningful
//     words of it ("weather" for get_weather); if none is, by any meaningful word of a
//     description or a property's name. Each is called once for a question; a tool whose
//     only free property is a text is called for each quoted text or capitalised name
//     ("Paris and New York"). If a tool must be called, the first one not yet called is.
//  3. Results of tools that follow the question are reported: "NAME returned RESULT.";
//     of a result above 500 bytes the sentence nearest to the question.
//  4. Arithmetic asked for ("what is 12*7?", "10 divided by 4 =") is computed.
//  5. The sentence of the documents or the system prompt that is nearest to the question
//     by package hashing (of word stems), that shares a word with it and is no instruction ("You are …"),
//     is cited: "SENTENCE [LABEL]", or "According to the context: SENTENCE".
//  6. So is a sentence that the user said earlier: "You said earlier: SENTENCE".
//  7. Else a greeting that names the model and repeats the question.
//
// "refuse: X" is refused with the text X where the API has refusals. A custom tool of
// OpenAI's responses gets the first quoted text, or the question.
//
// Images are counted in front of the answers 3 to 7: "I see 2 images."
//
// Arguments of tools and structured output are drawn from the question, each value
// used once: what follows a property's name ("limit 5", "from: Paris"), values of enum
// and const that occur in it, numbers, quoted texts, capitalised names, dates and
// addresses by format. What is missing comes from the schema: the least value in range,
// the first enum value, a text that fits pattern, length and format. Optional arguments
// are left out unless the question has them; structured output is complete and puts the
// answer by the rule into properties such as "answer", "text" and "summary".
//
// A token is a word with the white space ahead of it, or a run of other characters; a
// word is cut after 16 bytes or so. Usage counts such tokens, for a prompt with 3 more
// a message and 85 an image.
//
// # Hosted tools
//
// A response has items ahead of its answer: reasoning if reasoning.summary is set (with
// its text if it is "detailed"), and one for each tool that the provider runs itself and
// the question names: "web search" (the answer then cites a page), "file search", "code
// interpreter", "image generation", the label of an MCP server. A background response
// is queued first.
//
// # Options
//
// A Config sets them for all requests; for one request they stand, the later before
// the earlier, in headers (X-Test-Tokens: 50), query parameters (test-tokens=50) and
// behind the model's name: "test-model;tokens=50;delay=20ms;fault=cut@5".
//
//	tokens=N             length of text answers, 0 to 1,000,000: repeated or cut to fit; 0: as it is
//	delay=DURATION       between two tokens, at most 10m; "20ms" or a bare number of milliseconds
//	first-delay=DURATION ahead of the first token, after the headers of a stream
//	fault=LIST           up to 16 faults, separated by commas
//	timestamps=BOOL      each event has "sent_ns", the Unix time in nanoseconds of its writing
//	key=NAME             whom faults with xN count for; the API key if it is not given
//
// An answer that is not streamed takes as long as its tokens would, at most 10 minutes.
//
// # Faults
//
//	429, 500, 503, …     any status from 400 to 599; 429 and 503 with Retry-After and Retry-After-Ms
//	429x2                for the first two requests of a key with this fault, then none
//	429x2/50ms           with this time to wait, rounded up to seconds in Retry-After; 1s if not given
//	slow-headers@5s      headers are late; 2s if not given
//	cut@K                after K tokens the connection is closed (FIN) without an end of the answer
//	reset@K              after K tokens the connection is reset (RST)
//	end@K                after K tokens the answer ends as if it were whole, without its last events
//	stall@K              after K tokens nothing follows until the client leaves, 10m at most; then as cut
//	error@K              after K tokens an error event in the provider's shape ends the stream
//	bad-json@K           after K tokens comes an event that is no JSON; then the answer goes on
//	huge@BYTES           the first event has a text of so many bytes; 10 MiB if not given
//	endless-line@BYTES   in place of tokens one line of so many bytes, then as cut; 64 MiB if not given
//	utf8                 a multi-byte character follows each token, and each write ends inside one
//	frames               events are written in pieces of 1 to 24 bytes
//	crlf                 lines end with \r\n
//	comments             a comment line precedes each event
//
// K is 0 if it is not given; one beyond the answer strikes after its last token. An
// answer that is not streamed is cut, reset, ended or stalled after half of its bytes,
// error is a 500, bad-json takes the last byte away; huge, endless-line, crlf and
// comments do not touch it.
//
// # Limits
//
// Bodies have at most 32 MiB (413 above). The server remembers 256 requests with
// 64 KiB of body each, 64 files with 64 KiB of content each, 256 MCP sessions, and 256 responses with 64 MiB of texts. A write that
// its client blocks for 10 minutes ends the stream. Schemas may nest 128 brackets and
// give values of 20,000 parts; keywords such as not, if and patternProperties, and
// patterns with look-around, are ignored; patterns with \b may get a text that does not match.
package modelserver
