package triggers

import "embed"

// Files are the JavaScript halves of the triggers, part of the platform bundle.
//
//go:embed *.ts
var Files embed.FS
