// Package compat runs real npm SDKs inside agentrt and compares what they do with
// what they do under Node.
//
// A suite is a folder entry of sdks/programs: short programs that use one SDK against
// compat/modelserver. Each runs twice, through the HTTP trigger of a real app and
// under the Node of sdks/package.json, from the same source, each time with a model
// server of its own. It passes if its own checks hold in both and if both gave the same
// responses (status, headers, body) and sent the same requests to the model server.
// Identifiers and times are made equal first; see normalise.go.
package compat
