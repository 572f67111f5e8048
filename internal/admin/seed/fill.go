package seed

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"sort"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/admin/bulkload"
	"parley/internal/desk/directory"
	"parley/internal/desk/textindex"
	"parley/internal/ground/clock"
	"parley/internal/ground/progress"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Options say how much to make. The same three numbers make the same set of
// conversations, and other numbers another set beside it.
type Options struct {
	Conversations int // 1 to MostConversations
	Messages      int // of all of them together: at least one each, MostMessages at most
	Seed          int64
	// Progress shows how far it is: a bar on a terminal, at most a line a second
	// elsewhere; nil shows nothing.
	Progress io.Writer

	batch int // messages that go in together; mostBatch when 0
}

// mostBatch is how many messages one write takes: a few hundred milliseconds,
// for which a running server's own writes wait.
const mostBatch = 10_000

// Demo makes what "make run" shows: the organisation, 40 conversations and 400
// messages. It does nothing when they are there.
func Demo(ctx context.Context, d *directory.Directory, s *store.Store) error {
	return Fill(ctx, d, s, Options{Conversations: 40, Messages: 400, Seed: 1})
}

// Fill makes the organisation, and then the set that o describes, which ends at
// the store's present time and reaches sixty days back. Nothing of it is ever
// sent.
//
// It works batch by batch, each of which is committed whole, and may be
// interrupted: running it again with the same numbers makes what is missing, as
// if it had run in one go. Other conversations in the database are left alone.
//
// A server may be running on the database. Every batch adds one
// CONVERSATION_CHANGED event per conversation, so that counts and open streams
// stay exact; a stream that cannot keep up ends with RESYNC_REQUIRED, as always.
// Agents and sender IDs that a large set brings come by DIRECTORY_CHANGED.
func Fill(ctx context.Context, d *directory.Directory, s *store.Store, o Options) error {
	set, err := newSet(o)
	if err != nil {
		return err
	}
	if err := Organisation(ctx, d, s); err != nil {
		return fmt.Errorf("seed: the organisation: %w", err)
	}
	if err := ensureTeams(ctx, d, set.teams); err != nil {
		return err
	}
	lines, err := newLineup(d, set.teams)
	if err != nil {
		return err
	}
	return set.fill(viewer.AsSystem(ctx, "seed"), s, lines)
}

func (s *set) fill(ctx context.Context, db *store.Store, lines *lineup) error {
	done, err := s.resume(ctx, db)
	if err != nil {
		return fmt.Errorf("seed: look for what is there: %w", err)
	}
	if done == s.options.Conversations {
		return nil
	}
	if err := textindex.Expect(ctx, db, s.options.Messages, s.times(lines)); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	show := progress.New(s.options.Progress, "seed", "conversations")
	defer show.Close()
	for done < s.options.Conversations {
		show.At(int64(done), int64(s.options.Conversations))
		if err := ctx.Err(); err != nil {
			return progress.Interrupted(ctx, err, fmt.Sprintf("after %d of %d conversations; run it again to continue", done, s.options.Conversations))
		}
		b := s.next(done, lines)
		if err := db.Write(ctx, b.save); err != nil {
			return fmt.Errorf("seed: conversations from %d: %w", done, err)
		}
		done += len(b.scripts)
	}
	show.At(int64(done), int64(s.options.Conversations))
	return db.Analyze(ctx, bulkload.Names()...)
}

// times are those of the messages of some conversations from all over the set.
func (s *set) times(lines *lineup) (sample []clock.Time) {
	const most = 200
	for i := 0; i < s.options.Conversations; i += s.options.Conversations/most + 1 {
		for _, step := range s.write(i, lines).steps {
			sample = append(sample, step.at)
		}
	}
	return sample
}

// next writes the scripts from conversation i on that go in together.
func (s *set) next(i int, lines *lineup) *batch {
	most, n := s.options.batch, 0
	if most == 0 {
		most = mostBatch
	}
	b := &batch{set: s}
	for ; i < s.options.Conversations && n < most; i++ {
		b.scripts = append(b.scripts, s.write(i, lines))
		n += s.messages(i)
	}
	return b
}

// resume tells how many conversations of the set are there, and sets the anchor:
// that of the run which began it, else the present. Batches go in by number, so
// what is there is 0 to done-1; their records, one each, are looked up by id.
func (s *set) resume(ctx context.Context, db *store.Store) (done int, err error) {
	done = sort.Search(s.options.Conversations, func(i int) bool {
		found, problem := s.anchorOf(ctx, db, i)
		if problem != nil {
			err = problem
		}
		return found == 0
	})
	if err != nil {
		return 0, err
	}
	if s.anchor, err = s.anchorOf(ctx, db, 0); s.anchor == 0 {
		s.anchor = db.Clock.Now()
	}
	return done, err
}

// anchorOf reads the anchor from the record of conversation i; 0 when there is
// none.
func (s *set) anchorOf(ctx context.Context, db *store.Store, i int) (at clock.Time, err error) {
	q := db.Builder().Select("updated_at").From(entsql.Table("records")).Where(entsql.And(
		entsql.In("object_type", "Contact", "Lead", "Case", "Visit__c"), entsql.EQ("external_id", s.externalID(i))))
	err = db.Read(ctx, store.System("an operator's command"), q, func(rows *sql.Rows) error { return rows.Scan(&at) })
	return at, err
}
