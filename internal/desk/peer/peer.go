// Package peer knows the processes that serve one database. Each has a row in the table
// processes and says hello over the bus. If a row is alive but its hello is not heard,
// that process shares no bus with this one, and the operator is told.
package peer

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/feed"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
)

// Process is one row: a server on this database, as it last said itself. Times
// are those of its own system clock.
type Process struct {
	Name, Host, Version string
	// Bus is what tells it of others' events, such as the id of a NATS server;
	// empty when nothing does.
	Bus       string
	StartedAt clock.Time
	SeenAt    clock.Time
}

// String names the process for an operator.
func (p Process) String() string { return p.Name + " on " + p.Host }

// Lifetime is how long ago a process that lives said so at most: it says so every
// third of it. SweptAfter is when a row of one that does not is removed.
const (
	Lifetime   = 30 * time.Second
	SweptAfter = time.Hour
)

// The kinds of our signals: a process's name, and the wish to hear names.
const (
	hello = "hello"
	who   = "who"
)

// List returns the rows of all processes, oldest first, 1,000 at most.
func List(ctx context.Context, s *store.Store) (all []Process, err error) {
	q := s.Builder().Select("name", "host", "version", "bus", "started_at", "seen_at").
		From(entsql.Table("processes")).OrderBy("id").Limit(1000)
	err = s.Read(ctx, store.System("processes on this database"), q, func(rows *sql.Rows) error {
		var p Process
		err := rows.Scan(&p.Name, &p.Host, &p.Version, &p.Bus, &p.StartedAt, &p.SeenAt)
		all = append(all, p)
		return err
	})
	return all, err
}

// Ask returns which of the named processes answer over the bus before ctx ends.
func Ask(ctx context.Context, signals feed.Signals, names []string) []string {
	answers := make(chan string, 1000)
	defer signals.OnSignal(hello, func(name []byte) {
		select {
		case answers <- string(name):
		default:
		}
	})()
	signals.Signal(who, nil)
	var answered []string
	for len(answered) < len(names) {
		select {
		case name := <-answers:
			if slices.Contains(names, name) && !slices.Contains(answered, name) {
				answered = append(answered, name)
			}
		case <-ctx.Done():
			return answered
		}
	}
	return answered
}

func clip(s string, most int) string { return strings.ToValidUTF8(s[:min(len(s), most)], "") }
