package linking

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/riverqueue/river"

	"parley/internal/desk/conversation"
	"parley/internal/desk/crm"
	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/ground/anyof"
	"parley/internal/ground/clock"
	"parley/internal/ground/job"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// linkConversations is the job that has rules link conversations, if nobody has meanwhile.
type linkConversations struct {
	Conversations []int64 `json:"conversations"`
}

// Kind implements river.JobArgs.
func (linkConversations) Kind() string { return "link_conversations" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (linkConversations) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue.Name} }

// linkRecords is the job that has rules link conversations with the numbers of records.
type linkRecords struct {
	ObjectType string  `json:"object_type"`
	Records    []int64 `json:"records"`
}

// Kind implements river.JobArgs.
func (linkRecords) Kind() string { return "link_records" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (linkRecords) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue.Name} }

// queue leaves the workers of the lanes alone.
var queue = job.Queue{Name: "links", Workers: 1, Poll: 500 * time.Millisecond}

// Jobs link what writes have left to them.
func (s *Service) Jobs() []job.Job {
	return []job.Job{
		job.Work[linkConversations]{Run: func(ctx context.Context, args linkConversations) error {
			return s.linkAll(viewer.AsSystem(ctx, "linking"), args.Conversations)
		}, Timeout: time.Minute, Queue: queue},
		job.Work[linkRecords]{Run: func(ctx context.Context, args linkRecords) error {
			return s.linkRecords(viewer.AsSystem(ctx, "linking"), args)
		}, Timeout: 10 * time.Minute, Queue: queue},
	}
}

// Conditional reports whether rules that link records of an object type by themselves have
// conditions.
func (s *Service) Conditional(objectType string) bool {
	return slices.ContainsFunc(s.Directory.Linking(objectType), (*directory.LinkingRule).IsConditional)
}

// Numbered hears of records that have new numbers, or may meet a condition now: conversations
// with them may be linked now. The job sees what was committed after this write began, too.
func (s *Service) Numbered(_ context.Context, tx *store.Tx, objectType string, records []int64) {
	if len(s.Directory.Linking(objectType)) == 0 {
		return
	}
	for some := range slices.Chunk(records, crm.MostPerCall) {
		tx.Enqueue(linkRecords{objectType, some}, nil)
	}
}

// linkedAtOnce is how many conversations a write links.
const linkedAtOnce = 50

// linkAll has rules link conversations, some in each write.
func (s *Service) linkAll(ctx context.Context, conversations []int64) error {
	for some := range slices.Chunk(conversations, linkedAtOnce) {
		err := s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			if err := s.Lock(ctx, tx); err != nil {
				return err
			}
			rows, err := s.Conversations.LoadAll(ctx, tx, some)
			if err != nil {
				return err
			}
			if err := s.catchUp(ctx, tx, rows); err != nil {
				return err
			}
			_, err = s.Relink(ctx, tx, slices.Collect(maps.Values(rows)), "")
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Lock has writes of records wait for this one. It goes before the locks of conversations,
// as writes of records have it.
func (s *Service) Lock(ctx context.Context, tx *store.Tx) error { return s.Records.Lock(ctx, tx) }

// Relink has rules link those of the conversations, which this write has locked after Lock,
// that are anchored to none, and returns the keys of those that are linked now: in one
// statement, and a few more for each of them.
func (s *Service) Relink(ctx context.Context, tx *store.Tx, rows []*conversation.Row, idempotencyKey string) (linked []int64, err error) {
	asked, callers := s.asked(rows)
	found, err := s.Records.KnownAlone(ctx, tx.Query, callers, s.conditional(asked...))
	if err != nil {
		return nil, err
	}
	for i, row := range asked {
		c := decided(s.candidates(row, found[i], tx.Now))
		if c == nil {
			continue
		}
		customer, err := s.Conversations.OwnName(ctx, tx, row.MessagingUserID)
		if err != nil {
			return nil, err
		}
		err = s.Conversations.Apply(ctx, tx, row, func(ctx context.Context, row *conversation.Row) (feed.Event, error) {
			return feed.Event{Cause: feed.ConversationChanged, IdempotencyKey: idempotencyKey}, s.link(ctx, tx, row, customer, c)
		})
		if err != nil {
			return nil, err
		}
		linked = append(linked, row.Key)
	}
	return linked, nil
}

// WouldLink reports whether rules link a conversation, which this write has locked, by itself or
// by a job that is on its way.
func (s *Service) WouldLink(ctx context.Context, tx *store.Tx, row *conversation.Row) (bool, error) {
	asked, callers := s.asked([]*conversation.Row{row})
	if len(asked) == 0 {
		return false, nil
	}
	found, err := s.Records.KnownAlone(ctx, tx.Query, callers, s.conditional(asked...))
	return err == nil && decided(s.candidates(row, found[0], tx.Now)) != nil, err
}

// Undo takes back what rules linked, in writes of these times, of conversations that this
// write has locked after Lock, as far as they are still anchored by it, and returns the keys
// of those: in one statement for each, and a few more for each that changes.
func (s *Service) Undo(ctx context.Context, tx *store.Tx, rows []*conversation.Row, at []clock.Time, idempotencyKey string) (undone []int64, err error) {
	for i, row := range rows {
		err := s.Conversations.Apply(ctx, tx, row, func(ctx context.Context, row *conversation.Row) (feed.Event, error) {
			was, err := s.Conversations.UndoLink(ctx, tx, row, at[i])
			if err != nil || !was {
				return feed.Event{}, err
			}
			undone = append(undone, row.Key)
			return feed.Event{Cause: feed.ConversationChanged, IdempotencyKey: idempotencyKey}, nil
		})
		if err != nil {
			return nil, err
		}
	}
	return undone, nil
}

// asked are the conversations that rules may find records for, by age, and whose these are.
func (s *Service) asked(rows []*conversation.Row) (asked []*conversation.Row, callers []crm.Caller) {
	for _, row := range rows {
		if c, ok := s.callerOf(row); ok && lone(row) && len(s.Directory.LinkingRules(row.ChannelID)) > 0 {
			asked, callers = append(asked, row), append(callers, c)
		}
	}
	return asked, callers
}

// catchUp has conversations follow records that changed while a message linked them, which
// neither of the two writes saw of the other.
func (s *Service) catchUp(ctx context.Context, tx *store.Tx, rows map[int64]*conversation.Row) error {
	names := map[int64]string{}
	for _, row := range rows {
		if row.RecordID != 0 {
			names[row.RecordID] = row.Title
		}
	}
	if len(names) == 0 {
		return nil
	}
	var behind []int64
	q := tx.Builder().Select("id", "name", "deleted_at", "merged_into").From(entsql.Table("records")).
		Where(entsql.In("id", anyof.Args(slices.Sorted(maps.Keys(names)))...))
	err := tx.Query(ctx, q, func(rows *sql.Rows) error {
		var key, deleted, merged int64
		var name string
		err := rows.Scan(&key, &name, &deleted, &merged)
		if deleted != 0 || merged != 0 || name != "" && name != names[key] {
			behind = append(behind, key)
		}
		return err
	})
	if err != nil || len(behind) == 0 {
		return err
	}
	if err := s.Conversations.FollowRecords(ctx, tx, behind); err != nil {
		return err
	}
	again, err := s.Conversations.LoadAll(ctx, tx, slices.Collect(maps.Keys(rows)))
	maps.Copy(rows, again)
	return err
}

// mostCalling bounds the conversations that a batch of records is looked up for.
const mostCalling = 5_000

// access reads for rules, which act for nobody.
const access = store.System("numbers of records, for the rules that link them")

// linkRecords has rules link the conversations whose customers may have the numbers of
// records of an object type.
func (s *Service) linkRecords(ctx context.Context, args linkRecords) error {
	channels := s.channelsOf(args.ObjectType)
	addresses, err := s.addressesOf(ctx, args.Records, channels)
	if err != nil || len(addresses) == 0 {
		return err
	}
	u, c := s.Store.Builder().Table("messaging_users").As("u"), s.Store.Builder().Table("conversations").As("c")
	q := s.Store.Builder().Select(c.C("id")).From(u).Join(c).On(c.C("messaging_user_id"), u.C("id")).Where(entsql.And(
		entsql.In(u.C("address"), anyof.Args(addresses)...), entsql.In(u.C("channel_id"), anyof.Args(slices.Collect(maps.Keys(channels)))...),
		entsql.IsNull(c.C("record_id")), entsql.IsNull(c.C("merged_into")), entsql.GT(c.C("last_seq"), 0),
	)).OrderBy(c.C("id")).Limit(mostCalling)
	var conversations []int64
	err = s.Store.Read(ctx, access, q, func(rows *sql.Rows) error {
		var key int64
		err := rows.Scan(&key)
		conversations = append(conversations, key)
		return err
	})
	if err != nil {
		return err
	}
	return s.linkAll(ctx, conversations)
}

// channelsOf are the channels whose rules link records of an object type, with the countries
// where numbers without one are dialed.
func (s *Service) channelsOf(objectType string) map[int64]string {
	countries := map[int64]string{}
	for _, r := range s.Directory.Linking(objectType) {
		if ch := s.Directory.Channel(r.ChannelID); ch != nil {
			countries[ch.Key] = ch.Country
		}
	}
	return countries
}

// addressesOf are those by which customers may be known who have a number of the records.
func (s *Service) addressesOf(ctx context.Context, records []int64, channels map[int64]string) ([]string, error) {
	if len(channels) == 0 {
		return nil, nil
	}
	regions := slices.Compact(slices.Sorted(maps.Values(channels)))
	addresses := map[string]bool{}
	q := s.Store.Builder().Select("number", "own").From(entsql.Table("record_phones")).Where(entsql.In("record_id", anyof.Args(records)...))
	err := s.Store.Read(ctx, access, q, func(rows *sql.Rows) error {
		var canonical, own string
		err := rows.Scan(&canonical, &own)
		for _, address := range crm.AddressesOf(canonical, own, regions) {
			addresses["+"+address], addresses[address] = true, true // with and without a plus, as carriers write it
		}
		return err
	})
	return slices.Sorted(maps.Keys(addresses)), err
}
