package store

import (
	"context"
	"fmt"
)

// Late is work that the writes of a group leave for its end, so that it is done
// once for all of them: Do gets what they left, in their order, under the tail
// lock and in their transaction. It may run more than once. What it registers on
// tx is lost: events, counts and jobs are for the writes themselves.
type Late struct {
	Name string // for errors
	Do   func(ctx context.Context, tx *Tx, left []any) error
}

// leftover is what was left for one Late.
type leftover struct {
	to    *Late
	items []any
}

// Leave leaves items for l when the transaction commits.
func (tx *Tx) Leave(l *Late, items ...any) { tx.tail.leave(l, items...) }

func (t *tail) leave(l *Late, items ...any) {
	for i := range t.late {
		if t.late[i].to == l {
			t.late[i].items = append(t.late[i].items, items...)
			return
		}
	}
	t.late = append(t.late, leftover{l, items})
}

func (t *tail) writeLate(ctx context.Context, g *group) error {
	for _, l := range t.late {
		if err := l.to.Do(ctx, &Tx{Ent: g.ent, Now: g.now, group: g}, l.items); err != nil {
			return fmt.Errorf("%s: %w", l.to.Name, err)
		}
	}
	return nil
}
