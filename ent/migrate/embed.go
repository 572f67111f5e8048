package migrate

import "embed"

// Files holds the versioned migrations of both databases, in the folders
// "sqlite" and "postgres".
//
//go:embed sqlite postgres
var Files embed.FS
