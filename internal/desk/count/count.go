// Package count keeps the standing counts of conversations: one row for each combination
// of owner, channel, queue and object type that occurs. Every write moves them by what it
// changed. A viewer's count is the sum of the cells they see.
package count

import (
	"context"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/ground/store"
)

// Cell is what standing counts are kept by; zero and "" stand for none.
type Cell struct {
	Owner, Channel, Queue int64
	ObjectType            string
}

// Tally is what a cell counts, or by how much it moves.
type Tally struct{ Conversations, WithInbound, Unread, UnreadInbound, New int64 }

// Add returns the sum of t and u.
func (t Tally) Add(u Tally) Tally {
	return Tally{
		t.Conversations + u.Conversations, t.WithInbound + u.WithInbound,
		t.Unread + u.Unread, t.UnreadInbound + u.UnreadInbound, t.New + u.New,
	}
}

// Negative returns t with every count's sign turned.
func (t Tally) Negative() Tally {
	return Tally{-t.Conversations, -t.WithInbound, -t.Unread, -t.UnreadInbound, -t.New}
}

// Move moves the counts of a cell when the transaction commits. Streams count by
// events, so record one that says the same.
func Move(tx *store.Tx, c Cell, by Tally) { moves.Defer(tx, move{c, by}) }

// move is one move of a cell.
type move struct {
	cell Cell
	by   Tally
}

var moves = &store.Deferred[move]{Name: "move counts", Stage: store.Counting, Do: add}

// most is how many cells a statement moves.
const most = 500

// add adds all moves of the group, one statement for 500 cells.
func add(ctx context.Context, tx *store.Tx, moves []move) error {
	cells := make(map[Cell]Tally, len(moves))
	for _, m := range moves {
		cells[m.cell] = cells[m.cell].Add(m.by)
	}
	insert, n := insertion(tx), 0
	for c, by := range cells {
		if by == (Tally{}) {
			continue
		}
		insert.Values(c.Owner, c.Channel, c.Queue, c.ObjectType, by.Conversations, by.WithInbound, by.Unread, by.UnreadInbound, by.New)
		if n++; n == most {
			if _, err := tx.Exec(ctx, insert); err != nil {
				return err
			}
			insert, n = insertion(tx), 0
		}
	}
	if n == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, insert)
	return err
}

// The columns of a cell, and those of what it counts.
var (
	keys  = []string{"owner_id", "channel_id", "queue_id", "object_type"}
	sums  = []string{"conversations", "with_inbound", "unread", "unread_inbound", "new"}
	names = append(keys[:len(keys):len(keys)], sums...)
)

// insertion begins a statement that makes cells, or adds to those that are there.
func insertion(tx *store.Tx) *entsql.InsertBuilder {
	return tx.Builder().Insert("count_cells").Columns(names...).
		OnConflict(entsql.ConflictColumns(keys...), entsql.ResolveWith(func(u *entsql.UpdateSet) {
			for _, c := range sums {
				u.Set(c, entsql.ExprFunc(func(b *entsql.Builder) {
					b.WriteString("count_cells." + c + " + excluded." + c)
				}))
			}
		}))
}
