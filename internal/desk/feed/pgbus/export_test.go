package pgbus

import "parley/internal/desk/feed"

// Write and Read are write and read, for tests.
func Write(from string, m feed.Message) string { return (&Bus{name: from}).write(m) }

// Read is the inverse of Write.
func Read(notification string) (from string, m feed.Message, ok bool) { return read(notification) }
