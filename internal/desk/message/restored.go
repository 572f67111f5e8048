package message

import (
	"fmt"

	"parley/internal/channel"
	"parley/internal/ground/clock"
)

// Restored returns the statements that settle the messages of a database that was
// restored from a backup. Those that were SENDING, and without sendQueued those that
// were QUEUED, become UNKNOWN: they may have been sent since. Nobody holds a lane, and
// the sweep makes jobs for those that still hold something.
func Restored(now clock.Time, sendQueued bool) []string {
	open := fmt.Sprintf("('%s', '%s')", channel.Queued, channel.Sending)
	if sendQueued {
		open = fmt.Sprintf("('%s')", channel.Sending)
	}
	unknown := fmt.Sprintf("status = '%s', error_code = ''", channel.Unsettled)
	return []string{
		"UPDATE messages SET " + unknown + " WHERE id IN (SELECT message_id FROM attempts WHERE status IN " + open + ")",
		"UPDATE attempts SET " + unknown + ", detail = 'restored from a backup: it may have been sent since', updated_at = " +
			fmt.Sprint(int64(now)) + " WHERE status IN " + open,
		"DELETE FROM lanes",
		"DELETE FROM river_job WHERE kind = '" + DrainLane{}.Kind() + "'",
	}
}
