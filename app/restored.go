package app

import (
	"parley/internal/desk/message"
	"parley/internal/ground/clock"
)

// Restored returns the statements that settle, in a database restored from a backup,
// what the backup cannot know. sendQueued lets messages go out that were QUEUED when
// it was made.
func Restored(sendQueued bool) []string {
	return append(message.Restored(clock.Real{}.Now(), sendQueued), "DELETE FROM processes")
}
