package linking

import (
	"context"
	"database/sql"
	"slices"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/desk/match"
	"parley/internal/desk/object"
	"parley/internal/desk/rule"
	"parley/internal/ground/anyof"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Input names a conversation and a record.
type Input struct{ ConversationID, RecordID string }

var errNotAllowed = fault.New(fault.Forbidden, "Linking needs the permission TAKE_ACTION. Ask an administrator.")

// Link ties the conversation's customer to a record, for the agent of ctx: a record that was
// suggested, or any other of a type that they may read. Nothing happens when it is the
// conversation's record already.
func (s *Service) Link(ctx context.Context, in Input) (*conversation.Row, error) {
	v := viewer.FromContext(ctx)
	if !v.Can(viewer.TakeAction) {
		return nil, errNotAllowed
	}
	record, err := s.readable(ctx, in.RecordID)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, in.ConversationID, func(ctx context.Context, tx *store.Tx, key int64) (*conversation.Row, error) {
		now, err := s.Conversations.Again(ctx, tx, record)
		if err == nil && now == nil {
			err = errNoRecord
		}
		if err != nil {
			return nil, err
		}
		return s.Conversations.Change(ctx, tx, key, func(ctx context.Context, row *conversation.Row) (feed.Event, error) {
			if row.RecordID == now.Key {
				return feed.Event{}, nil
			}
			if isWeb(row.Channel().Type) {
				return feed.Event{}, fault.New(fault.Conflict, "Visitors of sites and apps are not linked to records.")
			}
			customer, err := s.Conversations.OwnName(ctx, tx, row.MessagingUserID)
			if err != nil {
				return feed.Event{}, err
			}
			return changed, s.Conversations.Link(ctx, tx, row, customer, conversation.RecordLink{Record: now, Reason: string(match.Chosen), Agent: v.AgentID})
		})
	})
}

// Unlink takes its record from the conversation's customer, for the agent of ctx. No rule
// links the customer by itself from then on. Nothing happens when there is no record.
func (s *Service) Unlink(ctx context.Context, conversationID string) (*conversation.Row, error) {
	v := viewer.FromContext(ctx)
	if !v.Can(viewer.TakeAction) {
		return nil, errNotAllowed
	}
	return s.change(ctx, conversationID, func(ctx context.Context, tx *store.Tx, key int64) (*conversation.Row, error) {
		return s.Conversations.Change(ctx, tx, key, func(ctx context.Context, row *conversation.Row) (feed.Event, error) {
			if row.RecordID == 0 {
				return feed.Event{}, nil
			}
			return changed, s.Conversations.Unlink(ctx, tx, row, v.AgentID)
		})
	})
}

// Reject notes, for the agent of ctx, that a record is not the customer's: it is suggested no
// more, and no rule links it. The conversation's own record is unlinked instead.
func (s *Service) Reject(ctx context.Context, in Input) (*conversation.Row, error) {
	v := viewer.FromContext(ctx)
	if !v.Can(viewer.TakeAction) {
		return nil, errNotAllowed
	}
	record, err := s.readable(ctx, in.RecordID)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, in.ConversationID, func(ctx context.Context, tx *store.Tx, key int64) (*conversation.Row, error) {
		row, err := s.Conversations.Load(ctx, tx, key)
		if err == nil && row.RecordID == record.Key {
			err = fault.At("input.recordId", fault.New(fault.Conflict, "The conversation is linked to this record. Use unlinkConversation."))
		}
		if err != nil {
			return nil, err
		}
		return row, s.Conversations.Refuse(ctx, tx, row, record.Key, false, v.AgentID)
	})
}

// change changes the conversation with an id in a write.
func (s *Service) change(ctx context.Context, id string, do func(ctx context.Context, tx *store.Tx, key int64) (*conversation.Row, error)) (row *conversation.Row, err error) {
	key, ok := s.IDs.Decode(publicid.Conversation, id)
	if !ok {
		return nil, fault.At("input.conversationId", fault.Missing("conversation"))
	}
	err = s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		row, err = do(ctx, tx, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	return row, nil
}

var errNoRecord = fault.At("input.recordId", fault.Missing("record"))

// readable is the record with an id, if the agent of ctx may read records of its type.
func (s *Service) readable(ctx context.Context, id string) (*conversation.Record, error) {
	key, ok := s.IDs.Decode(publicid.Record, id)
	if !ok {
		return nil, errNoRecord
	}
	records, err := s.Conversations.Records(ctx, []int64{key})
	if err != nil {
		return nil, err
	}
	r := records[key]
	if r == nil || !s.Directory.RecordRights(viewer.FromContext(ctx)).Object(r.ObjectType).Includes(object.Read) {
		return nil, errNoRecord
	}
	return r, nil
}

// MostSuggested is how many records are suggested for a conversation.
const MostSuggested = 10

// Suggestion is a record that may be the customer's.
type Suggestion struct {
	Record   *conversation.Record
	RuleName string
	Field    string // the phone field that has the customer's number
	Reason   match.Reason
}

// Suggestions are, for each of the conversations that the viewer of ctx has read, the
// records that rules find for it, the likeliest first: of types, and with numbers in
// fields, that the viewer may read. Conversations that are anchored have none. It takes three
// statements, or none.
func (s *Service) Suggestions(ctx context.Context, rows []*conversation.Row) ([][]*Suggestion, error) {
	out := make([][]*Suggestion, len(rows))
	for i := range out {
		out[i] = []*Suggestion{}
	}
	asked, callers := s.asked(rows)
	if len(asked) == 0 || !viewer.FromContext(ctx).Can(viewer.TakeAction) {
		return out, nil
	}
	found, err := s.Records.Known(ctx, s.Store.As(access), callers, s.conditional(asked...))
	if err != nil {
		return nil, err
	}
	s.keepReadable(ctx, found)
	if err := s.addMessaged(ctx, found); err != nil {
		return nil, err
	}
	chosen := map[int64][]candidate{}
	var keys []int64
	for i, row := range asked {
		of := s.candidates(row, found[i], s.Store.Clock.Now())
		of = of[:min(len(of), MostSuggested)]
		chosen[row.Key] = of
		for _, c := range of {
			keys = append(keys, c.Key)
		}
	}
	if len(keys) == 0 {
		return out, nil
	}
	records, err := s.Conversations.Records(ctx, keys)
	for i, row := range rows {
		for _, c := range chosen[row.Key] {
			if r := records[c.Key]; r != nil {
				out[i] = append(out[i], &Suggestion{r, c.Rule.Name, c.Field, c.Reason})
			}
		}
	}
	return out, err
}

// keepReadable leaves the records of types, and with numbers in fields, that the viewer of
// ctx may read.
func (s *Service) keepReadable(ctx context.Context, found [][]match.Record) {
	rights := s.Directory.RecordRights(viewer.FromContext(ctx))
	for i, records := range found {
		found[i] = slices.DeleteFunc(records, func(r match.Record) bool {
			return !rights.Object(r.ObjectType).Includes(object.Read) || s.readableField(ctx, r.ObjectType, r.Field) == nil
		})
	}
}

// addMessaged sets when the records were last messaged, as far as the viewer of ctx sees.
func (s *Service) addMessaged(ctx context.Context, found [][]match.Record) error {
	var keys []int64
	for _, records := range found {
		for _, r := range records {
			keys = append(keys, r.Key)
		}
	}
	sight := rule.Visible(viewer.FromContext(ctx))
	if len(keys) == 0 || !sight.MayRead() {
		return nil
	}
	t := s.Store.Builder().Table("conversations").As("x")
	q := s.Store.Builder().Select(t.C("record_id")).AppendSelectExpr(entsql.Expr(entsql.Max(t.C("last_message_at")))).From(t).
		Where(entsql.And(entsql.P(func(b *entsql.Builder) { anyof.Keys(b, t.C("record_id"), keys) }), entsql.GT(t.C("last_message_at"), 0)))
	sight.Narrow(q, t)
	q.GroupBy(t.C("record_id"))
	messaged := map[int64]clock.Time{}
	err := s.Store.Read(ctx, sight, q, func(rows *sql.Rows) error {
		var key int64
		var at clock.Time
		err := rows.Scan(&key, &at)
		messaged[key] = at
		return err
	})
	for _, records := range found {
		for i := range records {
			records[i].Messaged = messaged[records[i].Key]
		}
	}
	return err
}

// RecordLink is a customer's record, as the viewer sees it.
type RecordLink struct {
	*conversation.RecordLink
	// Field is the phone field that had the customer's number, if the viewer may read it; nil
	// if nobody looked.
	Field *string

	service *Service
}

// Reason is why the record was chosen.
func (l *RecordLink) Reason() match.Reason { return match.Reason(l.RecordLink.Reason).Known() }

// readableField is the name of a record's field, nil if the viewer of ctx may not read it.
func (s *Service) readableField(ctx context.Context, objectType, field string) *string {
	def := s.Directory.Defined(objectType)
	if def == nil {
		return nil
	}
	f := def.Field(field)
	if f == nil || !s.Directory.RecordRights(viewer.FromContext(ctx)).Field(def, f).Includes(object.Read) {
		return nil
	}
	return &f.Name
}

// RuleName is the name of the rule that linked them; nil if none did, or it is gone.
func (l *RecordLink) RuleName() *string {
	if r := l.service.Directory.LinkingRule(l.Rule); r != nil {
		return &r.Name
	}
	return nil
}

// LinkedBy is who linked them; nil for a rule or a trigger.
func (l *RecordLink) LinkedBy() *directory.Agent { return l.service.Directory.Agent(l.Agent) }

// Links are the records that each customer is linked to, the newest first.
func (s *Service) Links(ctx context.Context, users []*conversation.MessagingUser) ([][]*RecordLink, error) {
	keys := make([]int64, len(users))
	for i, u := range users {
		keys[i] = u.Key
	}
	found, err := s.Conversations.Links(ctx, keys)
	out := make([][]*RecordLink, len(users))
	for i, u := range users {
		out[i] = []*RecordLink{}
		for _, l := range found[u.Key] {
			out[i] = append(out[i], &RecordLink{l, s.readableField(ctx, l.Record.ObjectType, l.Field), s})
		}
	}
	return out, err
}
