package importer

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"

	"parley/internal/desk/textindex"
	"parley/internal/ground/clock"
	"parley/internal/ground/progress"
	"parley/internal/ground/store"
)

// stagedMessage is a message of the export with whom it is with.
type stagedMessage struct {
	conversation              int64 // of the staging
	channel, address, country string
	written                   string // the address, as the export has it
	side                      which
	source                    string
	line                      int
	at                        clock.Time
	text, status              string
	agent                     int64 // of the staging
	record                    recordName

	ends // of what the conversation has already
}

// ends are the times of the first and the last message of a conversation, 0 for none.
// The first may be of the export too: then its side and line tell what precedes it of
// those of the same time.
type ends struct {
	firstAt, lastAt clock.Time
	firstSide       which
	firstLine       int
}

// noSide is the side of a first message that is not of the export: behind all others.
const noSide which = 9

// precedes reports whether the message is older than all that were there.
func (m *stagedMessage) precedes() bool {
	return cmp.Or(cmp.Compare(m.at, m.firstAt), cmp.Compare(m.firstSide, m.side), cmp.Compare(m.line, m.firstLine)) < 0
}

// late reports whether the message belongs between those that were there, and is
// numbered behind them.
func (m *stagedMessage) late() bool { return !m.precedes() && m.at < m.lastAt }

// id names the message among all that come from its source.
func (m *stagedMessage) id() string { return m.side.String() + ":" + m.source }

// sideOf undoes id.
func sideOf(id string) (side which, source string) {
	written, source, _ := strings.Cut(id, ":")
	if written == incoming.String() {
		return incoming, source
	}
	return outgoing, source
}

// ordered reads all messages that are taken, conversation by conversation: those
// that precede what is there from the newest back, by which each finds its place in
// front, and then the others in the order of time. The order of a conversation alone
// is sorted, by which SQLite holds one at a time.
const ordered = `SELECT c.id, c.channel, c.address, c.country, c.first_at, c.first_side, c.first_line, c.last_at,
	m.side, m.source, m.at, m.text, m.status, m.agent, m.object_type, m.external_id, m.line, p.written,
	CASE WHEN (m.at, -m.side, m.line) < (c.first_at, -c.first_side, c.first_line) THEN -1 ELSE 1 END AS way
	FROM conversations c CROSS JOIN parties p ON p.conversation = c.id CROSS JOIN messages m ON m.party = p.id
	ORDER BY c.id, way, way * m.at, -way * m.side, way * m.line`

// eachMessages calls fn with messages that go in together: whole conversations,
// unless one is longer than a batch may be.
func (m *importing) eachMessages(ctx context.Context, fn func([]stagedMessage) error) error {
	show := progress.New(m.options.Progress, "import", "messages")
	defer show.Close()
	most, done := m.batch(), int64(0)
	part := make([]stagedMessage, 0, most)
	flush := func() error {
		show.At(done, m.staged.messages)
		if err := ctx.Err(); err != nil {
			return progress.Interrupted(ctx, err, fmt.Sprintf("after %d of %d messages; run it again to continue", done, m.staged.messages))
		}
		err := fn(part)
		done += int64(len(part))
		part = part[:0]
		return err
	}
	err := m.staging.each(context.WithoutCancel(ctx), func(rows *sql.Rows) error {
		var s stagedMessage
		var way int
		if err := rows.Scan(&s.conversation, &s.channel, &s.address, &s.country, &s.firstAt, &s.firstSide, &s.firstLine, &s.lastAt,
			&s.side, &s.source, &s.at, &s.text, &s.status, &s.agent, &s.record.objectType, &s.record.externalID, &s.line, &s.written, &way); err != nil {
			return err
		}
		if n := len(part); n >= most && (s.conversation != part[n-1].conversation || n >= 2*most) {
			if err := flush(); err != nil {
				return err
			}
		}
		part = append(part, s)
		return nil
	}, ordered)
	if err != nil || len(part) == 0 {
		return err
	}
	err = flush()
	show.At(done, m.staged.messages)
	return err
}

func (m *importing) batch() int {
	if m.options.batch > 0 {
		return m.options.batch
	}
	return mostBatch
}

// kept is a message that an earlier import brought.
type kept struct {
	key, conversation int64
	at                clock.Time
	text              string
	customer
}

// differing is a message of the export that is there with another content.
type differing struct {
	row       *stagedMessage
	there     kept
	elsewhere bool // it is there on another sender ID
}

// problem says what differs, and what is to be done.
func (d *differing) problem() string {
	switch {
	case d.elsewhere:
		return "a message with this id already exists, on another sender ID"
	case d.row.address != d.there.address:
		return fmt.Sprintf("a message with this id already exists, from another customer (%s)", d.there.address)
	case d.row.at != d.there.at:
		return fmt.Sprintf("a message with this id already exists, with another time (%s); check --zone", d.there.at)
	}
	return "a message with this id already exists with another text; --repair replaces it"
}

// repairable reports whether only the text differs.
func (d *differing) repairable() bool {
	return !d.elsewhere && d.row.at == d.there.at && d.row.address == d.there.address
}

// missing are the messages of a part that the database does not have, and those that
// it has otherwise.
func (m *importing) missing(ctx context.Context, db database, part []stagedMessage) (left []stagedMessage, other []differing, err error) {
	if m.fresh {
		return part, nil, nil
	}
	there := make(map[string]kept, len(part))
	ids := make([]any, len(part))
	for i := range part {
		ids[i] = part[i].id()
	}
	for start := 0; start < len(ids); start += mostKeys {
		t, c := entsql.Table("messages").As("m"), entsql.Table("conversations").As("c")
		q := db.sql.Select(t.C("provider_id"), t.C("id"), t.C("conversation_id"), t.C("created_at"), t.C("text"), c.C("channel_id"), c.C("address")).
			From(t).Join(c).On(t.C("conversation_id"), c.C("id")).
			Where(entsql.And(entsql.EQ(t.C("provider_account_id"), m.account), entsql.In(t.C("provider_id"), ids[start:min(start+mostKeys, len(ids))]...)))
		err := db.query(ctx, q, func(rows *sql.Rows) error {
			var id string
			var k kept
			err := rows.Scan(&id, &k.key, &k.conversation, &k.at, &k.text, &k.channel, &k.address)
			there[id] = k
			return err
		})
		if err != nil {
			return nil, nil, err
		}
	}
	for i := range part {
		s := &part[i]
		switch k, is := there[s.id()]; {
		case !is:
			left = append(left, *s)
		default:
			c := m.office.channel(s.channel, m.options.Account)
			d := differing{s, k, c == nil || c.key != k.channel}
			if !d.repairable() || k.text != s.text {
				other = append(other, d)
			}
		}
	}
	return left, other, nil
}

// settleOthers refuses what is there otherwise, or counts it as repaired.
func (m *importing) settleOthers(ctx context.Context, other []differing) error {
	for i := range other {
		d := &other[i]
		if m.options.Repair && d.repairable() {
			m.report.repaired(d.row.side, Repair{d.row.side.String(), d.row.line, d.row.source, d.there.text, d.row.text})
			continue
		}
		if err := m.staging.refuse(ctx, d.row.side, d.row.line, d.row.source, d.problem()); err != nil {
			return err
		}
	}
	return nil
}

// mostSampled is of how many messages search is told when they were written.
const mostSampled = 5_000

// times are those of some messages from all over the export.
func (m *importing) times(ctx context.Context) (sample []clock.Time, err error) {
	err = m.staging.each(ctx, func(rows *sql.Rows) error {
		var at clock.Time
		err := rows.Scan(&at)
		sample = append(sample, at)
		return err
	}, "SELECT at FROM messages WHERE id % ? = 0", m.staged.messages/mostSampled+1)
	return sample, err
}

// writeMessages adds the messages that are not there.
func (i *Importer) writeMessages(ctx context.Context, m *importing) error {
	sample, err := m.times(ctx)
	if err != nil {
		return err
	}
	if err := textindex.Expect(ctx, i.Store, int(m.staged.messages), sample); err != nil {
		return err
	}
	return m.eachMessages(ctx, func(part []stagedMessage) error {
		return inPieces(ctx, m, part, func(piece []stagedMessage) error { return i.writeSome(ctx, m, piece) })
	})
}

func (i *Importer) writeSome(ctx context.Context, m *importing, part []stagedMessage) error {
	var c *chunk
	err := i.writeBatch(ctx, func(ctx context.Context, tx *store.Tx) error {
		c = &chunk{importing: m, desk: i.Conversations, tx: tx}
		err := c.save(ctx, part)
		if conflicts(err) {
			m.fresh = false // somebody else imports from the source too
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("write messages: %w", err)
	}
	m.begun = part[len(part)-1].conversation
	m.report.add(c.tally, sides(part), c.other)
	return m.settleOthers(ctx, c.other)
}

// writeBatch writes, once more when what it writes was written by somebody else
// between its looking and its writing.
func (i *Importer) writeBatch(ctx context.Context, fn func(context.Context, *store.Tx) error) error {
	const tries = 5
	for try := 1; ; try++ {
		err := i.Store.Write(ctx, fn)
		if !conflicts(err) || try == tries {
			return err
		}
	}
}

// conflicts reports whether a unique index refused a row.
func conflicts(err error) bool {
	var pg *pgconn.PgError
	var lite sqlite3.Error
	return errors.As(err, &pg) && pg.Code == "23505" ||
		errors.As(err, &lite) && lite.ExtendedCode == sqlite3.ErrConstraintUnique
}
