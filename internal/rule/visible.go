// Package rule holds the privacy rules, named as sentences. Visible decides
// which conversations a viewer sees, in a form for SQL and a form for Go that
// agree; the policies put it, and denial without a viewer, into the data layer.
package rule

import (
	"slices"

	"entgo.io/ent/dialect/sql"

	"parley/internal/viewer"
)

// Subject is what of a conversation decides who sees it. Zero means none.
type Subject struct{ Owner, Channel, Queue int64 }

// Sight is what a viewer sees of the conversations. The zero value sees nothing.
//
// An agent sees the conversations they own, those of sender IDs they share, and
// those of their queues; with ViewTeamInbox also those that any agent owns; with
// ViewAllData every one (DOMAIN: Access).
type Sight struct {
	all    bool
	owned  bool // everything that has an owner
	agent  int64
	chans  []int64
	queues []int64
}

// Visible returns what v sees; nothing when v is nil.
func Visible(v *viewer.Viewer) Sight {
	if v == nil {
		return Sight{}
	}
	if v.Can(viewer.ViewAllData) {
		return Sight{all: true}
	}
	return Sight{owned: v.Can(viewer.ViewTeamInbox), agent: v.AgentID, chans: v.Channels, queues: v.Queues}
}

// All reports whether every conversation is seen.
func (s Sight) All() bool { return s.all }

// Covers reports whether the sight takes in every conversation of this owner or
// on this channel; zero stands for unknown.
func (s Sight) Covers(owner, channel int64) bool {
	return s.Sees(Subject{Owner: owner, Channel: channel})
}

// Sees reports whether a conversation is seen: the Go form.
func (s Sight) Sees(c Subject) bool {
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

// SQL returns the SQL form over the columns of conversations, each qualified by
// column; nil when everything is seen.
func (s Sight) SQL(column func(string) string) *sql.Predicate {
	if s.all {
		return nil
	}
	branches := s.Branches()
	if len(branches) == 0 {
		return sql.False()
	}
	or := make([]*sql.Predicate, len(branches))
	for i, b := range branches {
		or[i] = b.SQL(column)
	}
	return sql.Or(or...)
}

// Branch is one term of what a viewer sees: an equality on an indexed column,
// or "has an owner". A list reads the top of each and merges them.
type Branch struct {
	Column string // owner_id, channel_id or queue_id
	ID     int64  // 0 means any
}

// SQL returns the branch as a predicate.
func (b Branch) SQL(column func(string) string) *sql.Predicate {
	if b.ID == 0 {
		return sql.GT(column(b.Column), 0) // neither NULL nor the 0 of count cells
	}
	return sql.EQ(column(b.Column), b.ID)
}

// Branches returns the terms of what is seen, joined by OR. It must not be
// called when All.
func (s Sight) Branches() []Branch {
	var out []Branch
	if s.owned {
		out = append(out, Branch{Column: "owner_id"})
	} else if s.agent != 0 {
		out = append(out, Branch{"owner_id", s.agent})
	}
	for _, id := range s.chans {
		out = append(out, Branch{"channel_id", id})
	}
	for _, id := range s.queues {
		out = append(out, Branch{"queue_id", id})
	}
	return out
}

// Term is the branches on one column taken together.
type Term struct {
	Column string
	IDs    []int64 // empty means any
}

// Terms returns the branches grouped by column: at most three.
func (s Sight) Terms() []Term {
	var out []Term
	for _, b := range s.Branches() {
		if n := len(out); n == 0 || out[n-1].Column != b.Column {
			out = append(out, Term{Column: b.Column})
		}
		if b.ID != 0 {
			out[len(out)-1].IDs = append(out[len(out)-1].IDs, b.ID)
		}
	}
	return out
}
