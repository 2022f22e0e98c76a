// Package agentrt is a PocketBase plugin that runs TypeScript functions: HTTP
// routes that stream, record hooks and cron jobs, each invocation in a sandboxed
// instance of its own.
//
//	app := pocketbase.New()
//	engine, err := agentrt.Register(app, agentrt.Config{})
//	...
//	err = app.Start()
//
// Functions come from a deployed bundle, or else from the folder pb_serverless.
package agentrt
