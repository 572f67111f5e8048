package importer

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/channel"
	"parley/internal/desk/content"
)

// staged says how much there is to import.
type staged struct{ records, messages int64 }

// count counts what the files hold.
func (m *importing) count(ctx context.Context, r *reader) error {
	report := m.report
	report.Ahead, report.Cut = r.ahead, r.cut
	report.Lines = map[string]*Lines{}
	for w := range r.files {
		if r.files[w].Read > 0 {
			report.Lines[which(w).String()] = &r.files[w]
		}
		report.Duplicates += r.files[w].Twice
	}
	report.Agents = append([]string{}, m.office.newAgents...)
	report.SenderIDs = []string{}
	for _, s := range m.office.newSenders {
		report.SenderIDs = append(report.SenderIDs, s.address)
	}
	for text, into := range map[string]*int64{
		"SELECT COUNT(*) FROM conversations":                                                       &report.Conversations,
		"SELECT COUNT(*) FROM conversations WHERE inbound_only":                                    &report.InboundOnly,
		"SELECT COUNT(*) FROM messages m JOIN parties p ON p.id = m.party WHERE p.problem IS NULL": &m.staged.messages,
		"SELECT COUNT(*) FROM records":                                                             &m.staged.records,
		`SELECT COUNT(*) FROM conversations c JOIN parties p ON p.conversation = c.id JOIN messages m ON m.party = p.id
			WHERE c.inbound_only`: &report.InboundOnlyRows,
	} {
		if err := m.staging.one(ctx, []any{into}, text); err != nil {
			return err
		}
	}
	return nil
}

// settleLines says what became of every line, at the end.
func (m *importing) settleLines(ctx context.Context) error {
	report := m.report
	for w, n := range [...]struct{ taken, present int64 }{
		outgoing: {report.Outgoing, report.Present.Outgoing}, incoming: {report.Incoming, report.Present.Incoming},
		records: {report.Records, report.Present.Records},
	} {
		if lines := report.Lines[which(w).String()]; lines != nil {
			lines.Taken, lines.Present = n.taken, n.present
		}
	}
	return m.staging.each(ctx, func(rows *sql.Rows) error {
		var w which
		var n int64
		err := rows.Scan(&w, &n)
		report.Refused += n
		report.Lines[w.String()].Refused = n
		return err
	}, "SELECT file, COUNT(*) FROM refused GROUP BY file")
}

// findThere looks up which conversations the database has, many at a time: those with
// an outbound are not inbound-only, and all keep what ends they have there.
func (m *importing) findThere(ctx context.Context) error {
	for last := int64(-1); last != 0; {
		after := max(last, 0)
		last = 0
		wanted := map[customer]int64{}
		err := m.staging.each(ctx, func(rows *sql.Rows) error {
			var sender, address string
			err := rows.Scan(&last, &sender, &address)
			if c := m.office.channel(sender, m.options.Account); c != nil {
				wanted[customer{c.key, address}] = last
			}
			return err
		}, "SELECT id, channel, address FROM conversations WHERE id > ? ORDER BY id LIMIT ?", after, mostKeys)
		if err != nil {
			return err
		}
		found, err := findCustomers(ctx, m.database, slices.Collect(maps.Keys(wanted)))
		if err != nil {
			return err
		}
		var keys []any
		staged := map[int64]int64{}
		for c, known := range found {
			if known.conversation != 0 {
				keys, staged[known.conversation] = append(keys, known.conversation), wanted[c]
			}
		}
		if len(keys) == 0 {
			continue
		}
		if err := errors.Join(m.settleAnswered(ctx, keys, staged), m.keepEnds(ctx, keys, staged)); err != nil {
			return err
		}
	}
	return nil
}

func (m *importing) settleAnswered(ctx context.Context, keys []any, staged map[int64]int64) error {
	q := m.database.sql.Select("conversation_id").Distinct().From(entsql.Table("messages")).
		Where(entsql.And(entsql.In("conversation_id", keys...), entsql.EQ("direction", string(content.Outbound))))
	return m.database.query(ctx, q, func(rows *sql.Rows) error {
		var key int64
		if err := rows.Scan(&key); err != nil {
			return err
		}
		_, err := m.staging.exec(ctx, "UPDATE conversations SET inbound_only = 0 WHERE id = ?", staged[key])
		return err
	})
}

func (m *importing) keepEnds(ctx context.Context, keys []any, staged map[int64]int64) error {
	return m.endsOf(ctx, m.database, keys, func(key int64, e ends) error {
		_, err := m.staging.exec(ctx, "UPDATE conversations SET first_at = ?, first_side = ?, first_line = ?, last_at = ? WHERE id = ?",
			int64(e.firstAt), int(e.firstSide), e.firstLine, int64(e.lastAt), staged[key])
		return err
	})
}

// endsOf reads the ends of conversations.
func (m *importing) endsOf(ctx context.Context, db database, keys []any, fn func(int64, ends) error) error {
	c, f := entsql.Table("conversations").As("c"), entsql.Table("messages").As("f")
	q := db.sql.Select(c.C("id"), c.C("last_message_at"), f.C("created_at"), f.C("provider_account_id"), f.C("provider_id")).From(c).
		Join(f).OnP(entsql.And(entsql.ColumnsEQ(f.C("conversation_id"), c.C("id")), entsql.ColumnsEQ(f.C("seq"), c.C("first_seq")))).
		Where(entsql.In(c.C("id"), keys...))
	return db.query(ctx, q, func(rows *sql.Rows) error {
		var key int64
		var account sql.NullInt64
		var id sql.NullString
		e := ends{firstSide: noSide}
		if err := rows.Scan(&key, &e.lastAt, &e.firstAt, &account, &id); err != nil {
			return err
		}
		if account.Valid && account.Int64 == m.office.accounts[m.options.sourceKey()].key {
			if err := m.findFirst(ctx, id.String, &e); err != nil {
				return err
			}
		}
		return fn(key, e)
	})
}

// findFirst finds the first message, by its id in the database, among those of the
// export, if it is there.
func (m *importing) findFirst(ctx context.Context, id string, e *ends) error {
	side, source := sideOf(id)
	err := m.staging.one(ctx, []any{&e.firstLine}, "SELECT line FROM messages WHERE side = ? AND source = ?", int(side), source)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	e.firstSide = side
	return err
}

// foresee counts what an import would take in.
func (m *importing) foresee(ctx context.Context) error {
	source, there := m.office.accounts[m.options.sourceKey()]
	m.account, m.fresh = source.key, !there
	err := m.eachRecords(ctx, "records", func(part []stagedRecord) error {
		known, err := recordsNamed(ctx, m.database, namesOf(part))
		if err == nil {
			err = m.countRecords(ctx, part, sortRecords(part, known), known)
		}
		return errors.Join(err, m.foreseeOrphans(ctx, withParents(part)))
	})
	if err != nil {
		return err
	}
	return m.eachMessages(ctx, func(part []stagedMessage) error {
		left, other, err := m.missing(ctx, m.database, part)
		if err != nil {
			return err
		}
		known, err := recordsNamed(ctx, m.database, recordsOf(left))
		if err != nil {
			return err
		}
		var t tally
		for i := range left {
			if err := m.foreseeOne(ctx, &left[i], known, &t); err != nil {
				return err
			}
		}
		m.report.add(t, sides(part), other)
		return m.settleOthers(ctx, other)
	})
}

// foreseeOrphans counts the records whose parent is neither there nor in the export.
func (m *importing) foreseeOrphans(ctx context.Context, children []stagedRecord) error {
	var parents []recordName
	for _, r := range children {
		parents = append(parents, r.parent)
	}
	known, err := recordsNamed(ctx, m.database, parents)
	if err != nil {
		return err
	}
	for _, name := range parents {
		comes, err := m.comes(ctx, name)
		if err != nil {
			return err
		}
		if known[name] == nil && !comes {
			m.report.Orphans++
		}
	}
	return nil
}

// comes reports whether the export holds a record.
func (m *importing) comes(ctx context.Context, name recordName) (comes bool, err error) {
	err = m.staging.one(ctx, []any{&comes}, "SELECT EXISTS (SELECT 1 FROM records WHERE object_type = ? AND external_id = ?)",
		name.objectType, name.externalID)
	return comes, err
}

func (m *importing) foreseeOne(ctx context.Context, s *stagedMessage, known map[recordName]*knownRecord, t *tally) error {
	t.taken[s.side]++
	if s.late() {
		t.late++
	}
	if s.side == incoming {
		return nil
	}
	if statusOf(s.status) == channel.Unsettled {
		t.unknown++
	}
	if s.record.externalID == "" || known[s.record] != nil {
		return nil
	}
	comes, err := m.comes(ctx, s.record)
	if !comes {
		t.unlinked++
	}
	return err
}

// sides counts a part's messages by side.
func sides(part []stagedMessage) (n [2]int64) {
	for i := range part {
		n[part[i].side]++
	}
	return n
}
