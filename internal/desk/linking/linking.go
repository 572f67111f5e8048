// Package linking ties customers to records of the CRM: administrators set rules for each
// channel, rules find the records that have a customer's number, and agents accept what
// is suggested, choose other records, and take records away again.
//
// A customer has at most one record of each object type, and the conversation is anchored to
// the one that came last. Rules only ever link conversations that are anchored to none.
// They do so in the write of the customer's message or by a job. The job also looks again
// at what two writes of the same time may have missed in each other.
package linking

import (
	"context"
	"slices"
	"strings"

	"parley/internal/channel"
	"parley/internal/desk/conversation"
	"parley/internal/desk/crm"
	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/desk/formula"
	"parley/internal/desk/match"
	"parley/internal/ground/clock"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

// Service has the use cases. All fields are required.
type Service struct {
	Store         *store.Store
	Directory     *directory.Directory
	IDs           *publicid.Codec
	Conversations *conversation.Service
	Records       *crm.Service
}

type candidate = match.Candidate[*directory.LinkingRule]

// candidates are the records that the rules of a conversation's channel find for it among
// those with the customer's number.
func (s *Service) candidates(row *conversation.Row, found []match.Record, now clock.Time) []candidate {
	d := s.Directory
	env := match.Environment{Environment: formula.Environment{Now: now.Std(), Zone: d.Organization().Zone(), Rates: d.Rates()}, Defined: d.Defined}
	return match.Candidates(d.LinkingRules(row.ChannelID), (*directory.LinkingRule).Definition, found, &env)
}

// conditional reports whether rules of the conversations' channels have conditions.
func (s *Service) conditional(rows ...*conversation.Row) bool {
	return slices.ContainsFunc(rows, func(row *conversation.Row) bool {
		return slices.ContainsFunc(s.Directory.LinkingRules(row.ChannelID), (*directory.LinkingRule).IsConditional)
	})
}

// decided is the candidate that is linked without anybody's asking; nil for none. The first
// rule that finds anything decides.
func decided(found []candidate) *candidate {
	if len(found) == 0 || found[0].Rule.Mode != match.Automatic {
		return nil
	}
	return &found[0]
}

// lone reports whether rules may link a conversation: one that is anchored to nothing, and
// no part of another.
func lone(row *conversation.Row) bool { return row.RecordID == 0 && row.MergedInto == 0 }

// callerOf is the customer whose records are looked for; false if the customer has no phone
// number.
func (s *Service) callerOf(row *conversation.Row) (crm.Caller, bool) {
	ch := s.Directory.Channel(row.ChannelID)
	if ch == nil || !match.Links(ch.Type) {
		return crm.Caller{}, false
	}
	if ch.Type.IsSMS() && row.PhoneNumber() == nil { // a short code, or a name
		return crm.Caller{}, false
	}
	digits := strings.TrimPrefix(row.Address, "+")
	if !isWhole(digits) {
		return crm.Caller{}, false
	}
	return crm.Caller{User: row.MessagingUserID, Address: "+" + digits, Region: ch.Country}, true
}

// Digits of a number with its country code.
const (
	leastDigits = 7
	mostDigits  = 15
)

func isWhole(digits string) bool {
	other := func(r rune) bool { return r < '0' || r > '9' }
	return len(digits) >= leastDigits && len(digits) <= mostDigits && !strings.ContainsFunc(digits, other)
}

// Received has the rules of a channel link a conversation that has just been written to, in
// the write that takes the message in and before the row has it. Only a conversation
// without an anchor costs anything: a statement, and another if a record is linked.
func (s *Service) Received(ctx context.Context, tx *store.Tx, row *conversation.Row, customer string) error {
	during, after := s.automatic(row.ChannelID)
	if !during && !after || !lone(row) {
		return nil
	}
	caller, ok := s.callerOf(row)
	if !ok {
		return nil
	}
	if during {
		found, err := s.Records.KnownAlone(ctx, tx.Query, []crm.Caller{caller}, s.conditional(row))
		if err != nil {
			return err
		}
		if c := decided(s.candidates(row, found[0], tx.Now)); c != nil && c.Rule.Timing == match.During {
			if err := s.link(ctx, tx, row, customer, c); err != nil {
				return err
			}
			after = false
		}
	}
	if after || tx.Locks() { // a record may be on its way that this write does not see
		tx.Enqueue(linkConversations{[]int64{row.Key}}, nil)
	}
	return nil
}

// automatic reports whether rules of a channel link by themselves, and when.
func (s *Service) automatic(channelKey int64) (during, after bool) {
	for _, r := range s.Directory.LinkingRules(channelKey) {
		if r.Active && r.Mode == match.Automatic {
			during = during || r.Timing == match.During
			after = after || r.Timing == match.After
		}
	}
	return during, after
}

func (s *Service) link(ctx context.Context, tx *store.Tx, row *conversation.Row, customer string, c *candidate) error {
	return s.Conversations.Link(ctx, tx, row, customer, conversation.RecordLink{
		Record: &conversation.Record{Key: c.Key, ObjectType: c.ObjectType, Name: c.Name},
		Reason: string(c.Reason), Field: c.Field, Rule: c.Rule.Key,
	})
}

// changed is the event of a conversation that is anchored to another record than before.
var changed = feed.Event{Cause: feed.ConversationChanged}

// isWeb reports whether customers of a channel are visitors of a site or an app, who are
// never linked.
func isWeb(t channel.Type) bool { return t == channel.Web || t == channel.InApp }
