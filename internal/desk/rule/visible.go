// Package rule contains the privacy rules, named as sentences. Visible decides which
// conversations a viewer sees, in a form for SQL and an equivalent one for Go; the
// policies apply it in the data layer, which denies access without a viewer.
package rule

import (
	"slices"

	"entgo.io/ent/dialect/sql"

	"parley/internal/ground/viewer"
)

// Subject is what of a conversation decides who sees it. Zero means none.
type Subject struct{ Owner, Channel, Queue int64 }

// Visibility is what a viewer sees of the conversations. The zero value sees nothing.
//
// An agent sees the conversations they own, those of sender IDs they share, and
// those of their queues; with ViewTeamInbox also those that any agent owns; with
// ViewAllData every one (DOMAIN: Access).
type Visibility struct {
	all    bool
	owned  bool // everything that has an owner
	agent  int64
	chans  []int64
	queues []int64
}

// Visible returns what v sees; nothing when v is nil.
func Visible(v *viewer.Viewer) Visibility {
	if v == nil {
		return Visibility{}
	}
	if v.Can(viewer.ViewAllData) {
		return Visibility{all: true}
	}
	return Visibility{owned: v.Can(viewer.ViewTeamInbox), agent: v.AgentID, chans: v.Channels, queues: v.Queues}
}

// MayRead reports whether anything can be seen.
func (s Visibility) MayRead() bool {
	return s.all || s.owned || s.agent != 0 || len(s.chans) > 0 || len(s.queues) > 0
}

// All reports whether every conversation is seen.
func (s Visibility) All() bool { return s.all }

// Channels are those of which the viewer sees every conversation, sorted. It must
// not be called when All.
func (s Visibility) Channels() []int64 { return s.chans }

// Beside is what is seen by owner or queue, with the channels of the viewer left
// out of account.
func (s Visibility) Beside() Visibility {
	s.chans = nil
	return s
}

// Covers reports whether the sight takes in every conversation of this owner or
// on this channel; zero stands for unknown.
func (s Visibility) Covers(owner, channel int64) bool {
	return s.Sees(Subject{Owner: owner, Channel: channel})
}

// Sees reports whether a conversation is seen: the Go form.
func (s Visibility) Sees(c Subject) bool {
	return s.all || s.owned && c.Owner != 0 || s.agent != 0 && c.Owner == s.agent ||
		contains(s.chans, c.Channel) || contains(s.queues, c.Queue)
}

func contains(sorted []int64, id int64) bool {
	if id == 0 {
		return false
	}
	_, ok := slices.BinarySearch(sorted, id)
	return ok
}

// SQL returns the SQL form over the columns of conversations, or over those of
// the same names in count_cells, each qualified by column; nil when everything
// is seen.
func (s Visibility) SQL(column func(string) string) *sql.Predicate {
	if s.all {
		return nil
	}
	terms := s.Terms()
	if len(terms) == 0 {
		return sql.False()
	}
	or := make([]*sql.Predicate, len(terms))
	for i, t := range terms {
		or[i] = t.sql(column)
	}
	return sql.Or(or...)
}

// Narrow keeps a selection from conversations to what is seen by key: the
// conversations that SQL means, and those merged into them, whatever their own owner
// and queue.
func (s Visibility) Narrow(q *sql.Selector, conversations *sql.SelectTable) {
	if s.all {
		return
	}
	current := sql.Dialect(q.Dialect()).Table("conversations").As("current")
	q.Join(current).OnP(sql.P(func(b *sql.Builder) {
		b.Ident(current.C("id")).WriteString(" = COALESCE(").Ident(conversations.C("merged_into")).Comma().Ident(conversations.C("id")).WriteString(")")
	})).Where(s.SQL(current.C))
}

// Term is one part of what a viewer sees: the conversations whose column holds
// one of the keys. A list reads the top of each and merges them.
type Term struct {
	Column string  // owner_id, channel_id or queue_id
	IDs    []int64 // empty means any but none
}

func (t Term) sql(column func(string) string) *sql.Predicate {
	if len(t.IDs) == 0 {
		return sql.GT(column(t.Column), 0) // neither NULL nor the 0 of count cells
	}
	keys := make([]any, len(t.IDs))
	for i, id := range t.IDs {
		keys[i] = id
	}
	return sql.In(column(t.Column), keys...)
}

// Terms returns the parts of what is seen, joined by OR: at most three, however
// many channels and queues the viewer has. It must not be called when All.
func (s Visibility) Terms() []Term {
	var out []Term
	if s.owned {
		out = append(out, Term{Column: "owner_id"})
	} else if s.agent != 0 {
		out = append(out, Term{"owner_id", []int64{s.agent}})
	}
	if len(s.chans) > 0 {
		out = append(out, Term{"channel_id", s.chans})
	}
	if len(s.queues) > 0 {
		out = append(out, Term{"queue_id", s.queues})
	}
	return out
}
