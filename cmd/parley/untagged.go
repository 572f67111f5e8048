//go:build !sqlite_fts5

package main

// Search needs SQLite's full-text search, which is behind a build tag.
var _ = build_by_make_or_with_tags_sqlite_fts5
