package message

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"parley/internal/ground/job"
)

// Jobs send what is queued, follow changed limits, wake lanes whose own job was lost with a process, and apply
// receipts that missed their message.
func (m *Messenger) Jobs() []job.Job {
	return []job.Job{
		job.Work[DrainLane]{Run: m.drain, Timeout: 5 * time.Minute}, // another run continues a long queue
		job.Work[RepaceChannel]{Run: m.Repace},
		job.Periodic{Name: "sweep_lanes", Run: m.sweep},
	}
}

// DrainLane is the job that sends a conversation's queued messages, in order.
type DrainLane struct {
	ConversationID int64 `json:"conversation_id"`
}

// Kind implements river.JobArgs.
func (DrainLane) Kind() string { return "drain_lane" }

// drain makes the call under way the last when the process stops.
func (m *Messenger) drain(ctx context.Context, args DrainLane) error {
	again, err := m.Drain(ctx, args.ConversationID)
	if err == nil && again > 0 {
		return river.JobSnooze(again)
	}
	return err
}

func (m *Messenger) sweep(ctx context.Context) error {
	_, lanes := m.SweepLanes(ctx)
	_, receipts := m.SweepReceipts(ctx)
	return errors.Join(lanes, receipts)
}
