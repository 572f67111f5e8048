package conversation

import (
	"context"
	"database/sql"
	"slices"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/ground/anyof"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
)

// RecordLink is a customer's record, and how they came to it.
type RecordLink struct {
	Record *Record
	Reason string // match.Reason
	Field  string // the phone field that had the customer's number; empty if nobody looked
	Rule   int64  // the linking rule; 0 for none
	Agent  int64  // who linked them; 0 for a rule or a trigger
	At     clock.Time
}

// Link ties the customer of a row that is being changed to a record, in place of the one
// of its object type that they had, and anchors the conversation to it. What an agent chooses is
// refused no more. customer is what they are called apart from any record.
func (d *Service) Link(ctx context.Context, tx *store.Tx, row *Row, customer string, l RecordLink) error {
	if l.Agent != 0 {
		for _, q := range []store.Query{forgetRefusal.With(row.MessagingUserID, l.Record.Key, l.Record.Key), forgetLink.With(row.MessagingUserID, l.Record.ObjectType)} {
			if _, err := tx.Exec(ctx, q); err != nil {
				return err
			}
		}
	}
	if err := d.keepOptOut(ctx, tx, row); err != nil {
		return err
	}
	row.Link(l.Record, customer)
	_, err := tx.Exec(ctx, putLink.With(row.MessagingUserID, l.Record.ObjectType, l.Record.Key, l.Reason, l.Field, l.Rule, l.Agent, int64(tx.Now)))
	return err
}

// Unlink takes its record from the customer of a row that is being changed, for good: rules
// only suggest others from then on. The conversation is anchored to the record that
// they were linked to last before, or to none.
func (d *Service) Unlink(ctx context.Context, tx *store.Tx, row *Row, agent int64) error {
	if err := d.Refuse(ctx, tx, row, row.RecordID, true, agent); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, forgetLink.With(row.MessagingUserID, row.Type)); err != nil {
		return err
	}
	return d.leave(ctx, tx, row)
}

// UndoLink takes back the link that a rule made in a write of the time, if the conversation, which is
// being changed, is still anchored by it, and reports whether it was.
func (d *Service) UndoLink(ctx context.Context, tx *store.Tx, row *Row, at clock.Time) (undone bool, err error) {
	n, err := tx.Exec(ctx, undoLink.With(row.MessagingUserID, int64(at), row.RecordID, row.RecordID))
	if err != nil || n == 0 {
		return false, err
	}
	return true, d.leave(ctx, tx, row)
}

// leave anchors the conversation to the record that its customer was linked to last before,
// or to none.
func (d *Service) leave(ctx context.Context, tx *store.Tx, row *Row) error {
	customer, err := d.OwnName(ctx, tx, row.MessagingUserID)
	if err != nil {
		return err
	}
	if err := d.keepOptOut(ctx, tx, row); err != nil {
		return err
	}
	row.RecordID, row.Type, row.Title = 0, "", customer
	return tx.Query(ctx, linkBefore.With(row.MessagingUserID), func(rows *sql.Rows) error {
		before := &Record{service: d}
		if err := rows.Scan(&before.Key, &before.ObjectType, &before.Name); err != nil {
			return err
		}
		row.Link(before, customer)
		return nil
	})
}

// keepOptOut opts the customer out if the record that the conversation is about to leave has:
// who did not want to be written to does not for being taken for somebody else.
func (d *Service) keepOptOut(ctx context.Context, tx *store.Tx, row *Row) error {
	if row.RecordID == 0 {
		return nil
	}
	optedOut := false
	err := tx.Query(ctx, optedOutIn.With(row.RecordID), func(rows *sql.Rows) error { return rows.Scan(&optedOut) })
	if err != nil || !optedOut {
		return err
	}
	return d.KeepOptOut(ctx, tx, row)
}

// Refuse notes that a record is not the customer's, whether or not they were linked.
func (d *Service) Refuse(ctx context.Context, tx *store.Tx, row *Row, record int64, unlinked bool, agent int64) error {
	if _, err := tx.Exec(ctx, refuseLink.With(row.MessagingUserID, record, unlinked, agent, int64(tx.Now))); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, dropLinks.With(row.MessagingUserID, record, record))
	return err
}

var (
	optedOutIn = store.Fixed("SELECT opted_out FROM records WHERE id = ?")
	putLink    = store.Fixed(`INSERT INTO record_links (messaging_user_id, object_type, record_id, reason, field, rule_id, agent_id, linked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (messaging_user_id, object_type) DO UPDATE SET record_id = excluded.record_id, reason = excluded.reason, field = excluded.field,
			rule_id = excluded.rule_id, agent_id = excluded.agent_id, linked_at = excluded.linked_at`)
	forgetLink = store.Fixed("DELETE FROM record_links WHERE messaging_user_id = ? AND object_type = ?")
	dropLinks  = store.Fixed(`DELETE FROM record_links WHERE messaging_user_id = ?
		AND (record_id = ? OR record_id IN (SELECT r.id FROM records AS r WHERE r.merged_into = ? AND r.merged_into > 0))`)
	undoLink = store.Fixed(`DELETE FROM record_links WHERE messaging_user_id = ? AND linked_at = ? AND rule_id > 0
		AND (record_id = ? OR record_id IN (SELECT r.id FROM records AS r WHERE r.merged_into = ? AND r.merged_into > 0))`)
	linkBefore = store.Fixed(`SELECT r.id, r.object_type, r.name FROM record_links AS l JOIN records AS was ON was.id = l.record_id
		JOIN records AS r ON r.id = CASE WHEN was.merged_into > 0 THEN was.merged_into ELSE was.id END
		WHERE l.messaging_user_id = ? AND r.deleted_at = 0 AND NOT r.stub ORDER BY l.linked_at DESC, l.id DESC LIMIT 1`)
	refuseLink = store.Fixed(`INSERT INTO link_refusals (messaging_user_id, record_id, unlinked, agent_id, created_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (messaging_user_id, record_id) DO UPDATE SET unlinked = link_refusals.unlinked OR excluded.unlinked`)
	forgetRefusal = store.Fixed(`DELETE FROM link_refusals WHERE messaging_user_id = ?
		AND (record_id = ? OR record_id IN (SELECT r.id FROM records AS r WHERE r.merged_into = ? AND r.merged_into > 0))`)
)

// Links reads the records that customers are linked to, as far as the viewer may see these,
// the newest first: two statements, or four where records were merged or may not be seen.
func (d *Service) Links(ctx context.Context, users []int64) (map[int64][]*RecordLink, error) {
	of := map[int64][]*RecordLink{}
	var records []int64
	q := d.Store.Builder().Select("messaging_user_id", "record_id", "reason", "field", "rule_id", "agent_id", "linked_at").
		From(entsql.Table("record_links")).Where(entsql.P(func(b *entsql.Builder) { anyof.Keys(b, "messaging_user_id", users) })).
		OrderBy(entsql.Desc("linked_at"), entsql.Desc("id"))
	err := d.Store.Each(ctx, inHand, q, func(r *store.Row) error {
		l := &RecordLink{
			Record: &Record{Key: r.Int(1)}, Reason: r.Text(2), Field: r.Text(3), Rule: r.Int(4), Agent: r.Int(5), At: clock.Time(r.Int(6)),
		}
		records = append(records, l.Record.Key)
		of[r.Int(0)] = append(of[r.Int(0)], l)
		return nil
	})
	if err != nil || len(records) == 0 {
		return of, err
	}
	seen, err := d.Records(ctx, records)
	for user, links := range of {
		for _, l := range links {
			l.Record = seen[l.Record.Key]
		}
		of[user] = slices.DeleteFunc(links, func(l *RecordLink) bool { return l.Record == nil })
	}
	return of, err
}
