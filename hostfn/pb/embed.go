package pb

import "embed"

// Files are the TypeScript halves: *.ts.
//
//go:embed *.ts
var Files embed.FS
