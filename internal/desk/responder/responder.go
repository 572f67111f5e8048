// Package responder has channels say something by themselves: they acknowledge what a
// customer writes first. What they say, and that they say it at most once, packages composer
// and message know.
//
// A message that comes in adds a job to its write, and nothing else, so that an answer can
// neither fail nor slow it.
package responder

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"

	"parley/internal/desk/component"
	"parley/internal/desk/composer"
	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/desk/message"
	"parley/internal/ground/fault"
	"parley/internal/ground/job"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Service answers. All fields but Responses are required.
type Service struct {
	Store         *store.Store
	Directory     *directory.Directory
	Conversations *conversation.Service
	Composer      *composer.Service
	Messenger     *message.Messenger
	// Responses counts what became of answers; nil counts nothing. Make it with NewResponses.
	Responses *prometheus.CounterVec
}

// NewResponses makes the counter of automatic answers by outcome: SENT, REFUSED or LATE. It
// is to be registered.
func NewResponses() *prometheus.CounterVec {
	responses := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_auto_responses_total",
		Help: "Automatic answers by outcome: SENT, REFUSED (it may not be sent, or lacks a value) or LATE (somebody answered before, or an hour went by).",
	}, []string{"outcome"})
	for _, outcome := range []string{sent, refused, late} { // they are there before the first
		responses.WithLabelValues(outcome)
	}
	return responses
}

// Outcomes of answers.
const (
	sent    = "SENT"
	refused = "REFUSED"
	late    = "LATE"
)

// respond is the job of an answer.
type respond struct {
	Conversation int64            `json:"conversation"`
	Moment       component.Moment `json:"moment"`
}

// Kind implements river.JobArgs.
func (respond) Kind() string { return "send_auto_response" }

// responseQueue is one that servers of the last version do not look into.
var responseQueue = job.Queue{Name: "responses", Workers: 2, Poll: 500 * time.Millisecond}

// InsertOpts implements river.JobArgsWithInsertOpts.
func (respond) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: responseQueue.Name} }

// Jobs send the answers.
func (s *Service) Jobs() []job.Job {
	return []job.Job{job.Work[respond]{Run: s.respond, Queue: responseQueue}}
}

// Received acknowledges the first message of a customer, by a job of the write tx, if the
// channel does.
func (s *Service) Received(tx *store.Tx, row *conversation.Row) {
	if ch := row.Channel(); row.InboundCount == 1 && ch != nil && ch.Response(component.Acknowledgement) != nil {
		tx.Enqueue(respond{row.Key, component.Acknowledgement}, nil)
	}
}

func (s *Service) respond(ctx context.Context, args respond) error {
	ctx = viewer.AsSystem(ctx, "responses")
	outcome, err := s.send(ctx, args)
	if reason, is := reasonOf(err); is {
		slog.InfoContext(ctx, "an automatic answer was not sent", "conversation", s.Conversations.IDs.Encode(publicid.Conversation, args.Conversation), "moment", args.Moment, "reason", reason)
		outcome, err = refused, nil
	}
	if outcome != "" && s.Responses != nil {
		s.Responses.WithLabelValues(outcome).Inc()
	}
	return err
}

// send prepares and queues an answer. The outcome is empty if there is none to send, or if
// it was sent before.
func (s *Service) send(ctx context.Context, args respond) (outcome string, err error) {
	rows, err := s.Conversations.ByKey(ctx, []int64{args.Conversation})
	row := rows[args.Conversation]
	if err != nil || row == nil {
		return "", err
	}
	ch := row.Channel()
	if ch == nil || s.isOurs(row.Address) {
		return "", nil
	}
	r := ch.Response(args.Moment)
	if r == nil { // it was taken out meanwhile
		return "", nil
	}
	var prepared *component.Prepared
	if !message.IsLate(row, s.Store.Clock.Now()) {
		if prepared, err = s.Composer.Respond(ctx, row, r); err != nil {
			return "", err
		}
	}
	done, err := s.Messenger.Respond(ctx, message.Response{Conversation: args.Conversation, Moment: args.Moment, Prepared: prepared})
	switch {
	case errors.Is(err, message.ErrLate):
		return late, nil
	case err != nil || !done:
		return "", err
	}
	return sent, nil
}

// isOurs reports whether an address is a channel's: two that answer each other would not
// end.
func (s *Service) isOurs(address string) bool {
	for _, ch := range s.Directory.Channels() {
		if ch.Address == address {
			return true
		}
	}
	return false
}

// reasonOf is why an answer cannot be sent, false for what may be tried again. It holds
// nothing of what was said.
func reasonOf(err error) (string, bool) {
	var no *message.RefusedError
	var f *fault.Error
	switch {
	case errors.As(err, &no):
		return no.Codes(), true
	case errors.As(err, &f):
		return string(f.Code), true
	}
	return "", false
}
