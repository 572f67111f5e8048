package conversation

import (
	"context"
	"database/sql"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/ground/store"
)

// Share is the part of a scope that lies on one channel.
type Share struct {
	Channel int64
	// Conversations are at most so many: those of the view's conditions that the
	// standing counts cannot answer are left out of account.
	Conversations int64
	// Whole says that the viewer sees everything on the channel, in the view or not.
	Whole bool
}

// Shares are the channels on which the scope may have conversations, in the order
// of their keys, from the standing counts of what the viewer sees.
func (d *Service) Shares(ctx context.Context, s *Scope) (out []Share, err error) {
	t := entsql.Table("count_cells")
	q := d.Store.Builder().SelectExpr(entsql.Raw("channel_id"), sum("conversations")).From(t).Where(entsql.NEQ(t.C("conversations"), 0))
	where(q, append(s.conds.whereCells(t.C), s.sight.SQL(t.C)))
	err = d.Store.Read(ctx, &s.sight, q.GroupBy("channel_id").OrderBy("channel_id"), func(rows *sql.Rows) error {
		var share Share
		err := rows.Scan(&share.Channel, &share.Conversations)
		share.Whole = s.sight.Covers(0, share.Channel)
		out = append(out, share)
		return err
	})
	return out, err
}

// Counted reports whether the standing counts answer for the whole scope.
func (s *Scope) Counted() bool { return s.conds.inCells() }

// Beside is the part of the scope that the viewer sees as an owner or by a queue
// alone: what lies outside the channels that they see whole.
func (s *Scope) Beside() *Scope {
	beside := &Scope{sight: s.sight.Beside(), conds: s.conds}
	if channels := s.sight.Channels(); len(channels) > 0 {
		beside.conds[offChannels] = channels
	}
	return beside
}

// few are the columns that matter of a conversation that is read for its messages.
var few = conversations.Only("id", "channel_id", "name", "address", "topic", "last_message_at", "first_seq", "last_seq", "earlier_messages")

// Few are all conversations of a scope, newest first, if there are no more than
// most.
func (d *Service) Few(ctx context.Context, s *Scope, most int) (rows []*Row, ok bool, err error) {
	q, err := d.pageQuery(s, nil, Window{Size: most}, Selected{Columns: few, Unplaced: true})
	if err != nil {
		return nil, false, err
	}
	err = d.Store.Each(ctx, &s.sight, q, func(r *store.Row) error {
		row, err := q.row(r)
		rows = append(rows, row)
		return err
	})
	q.sort(rows)
	return rows, len(rows) <= most, err
}

// Seen is the SQL form of what the viewer sees over conversations under the given
// name; nil when they see all.
func (s *Scope) Seen(table string) *entsql.Predicate { return s.sight.SQL(qualify(table)) }

// InView is the SQL form of the view's own conditions over conversations under the
// given name; nil when there are none.
func (s *Scope) InView(table string) *entsql.Predicate {
	p := s.conds.where(qualify(table))
	if agent := s.conds[sentBy]; agent != nil {
		p = append(p, entsql.P(func(b *entsql.Builder) {
			b.WriteString("EXISTS (SELECT 1 FROM participants AS s WHERE s.conversation_id = " + table + ".id AND s.agent_id = ").Arg(agent).WriteString(")")
		}))
	}
	if len(p) == 0 {
		return nil
	}
	return entsql.And(p...)
}
