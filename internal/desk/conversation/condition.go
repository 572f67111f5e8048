package conversation

import (
	"slices"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/channel"
	"parley/internal/desk/content"
	"parley/internal/desk/count"
	"parley/internal/desk/feed"
	"parley/internal/desk/related"
	"parley/internal/ground/anyof"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
)

// Filter narrows a view; nil fields do not narrow.
type Filter struct {
	IsUnread             *bool
	ObjectType           *string
	ChannelID            *string
	OwnerID              *string
	IsAssigned           *bool
	LastMessageDirection *content.Direction
	LastMessageFrom      *clock.Time
	LastMessageBefore    *clock.Time
}

// condition is one thing that a view or a filter can ask of a conversation, in every
// form it is answered in. What it wants (a key, a text, a bool, a time as int64) comes
// from its filter or from a view.
type condition struct {
	// field is the filter's field in the graph, and filter reads what it wants; nil when
	// it wants nothing. A condition without them is asked by views alone.
	field  string
	filter func(*Service, *Filter) (want any, err error)

	// matches is the Go form.
	matches func(f *feed.Facts, want any) bool
	// where is the SQL form over conversations.
	where func(col columnOf, want any) *entsql.Predicate

	// The form over the standing counts: cells chooses among them, tally among what
	// they hold. A condition with neither is counted from the rows.
	cells func(col columnOf, want any) *entsql.Predicate
	tally func(t count.Tally, want any) count.Tally

	// key is a key of every event of a conversation that matches; nil when there is
	// none.
	key func(want any) (feed.Key, rarity)

	// walk is what a page passes over for the condition.
	walk Walk
}

// columnOf qualifies the name of a column.
type columnOf = func(string) string

// Walk says what a page passes over for conditions, added up. From more than OwnIndex
// on it may be many rows.
type Walk int

// What a page passes over for one condition; 0 when every index serves it.
const (
	OwnIndex Walk = 1    // nothing, when the page is read by the condition's own index
	noIndex  Walk = 2    // whatever does not match
	fewRows  Walk = -100 // next to nothing, whatever else is asked: few conversations match
)

// rarity orders keys, those of the fewest events first.
type rarity int

const (
	recordEvents rarity = iota
	ownerEvents
	senderEvents
	channelEvents
	seenEvents // the keys of what the viewer sees
	objectTypeEvents
	nobodyEvents
	allEvents
)

// The conditions by name, in the order of the SQL.
const (
	nothing = iota // two conditions contradict
	ownedBy        // 0 is nobody
	onChannel
	offChannels
	aboutRecord
	onTrail
	ofObjectType
	withInbound
	isUnread
	isAssigned
	inDirection
	sinceTime
	beforeTime
	sentBy
	conditionCount
)

// A new filter is a row here, with its name and its field of Filter above, and a field
// in the schema. An equality that a partial index asks for is spelled out in where,
// since a planner cannot see it in a parameter.
var conditions = [conditionCount]condition{
	nothing: {
		matches: func(*feed.Facts, any) bool { return false },
		where:   func(columnOf, any) *entsql.Predicate { return entsql.False() },
		walk:    fewRows,
	},
	ownedBy: {
		field: "ownerId",
		filter: func(d *Service, f *Filter) (any, error) {
			return d.wantKey(publicid.Agent, f.OwnerID, "filterBy.ownerId", "an agent")
		},
		matches: func(f *feed.Facts, want any) bool { return f.Owner == want.(int64) },
		where: func(col columnOf, want any) *entsql.Predicate {
			if want == int64(0) {
				return entsql.IsNull(col("owner_id"))
			}
			return entsql.EQ(col("owner_id"), want)
		},
		cells: equal("owner_id"),
		key: func(want any) (feed.Key, rarity) {
			if want == int64(0) {
				return feed.Key{Fact: feed.ByOwner}, nobodyEvents
			}
			return feed.Key{Fact: feed.ByOwner, ID: want.(int64)}, ownerEvents
		},
		walk: OwnIndex,
	},
	onChannel: {
		field: "channelId",
		filter: func(d *Service, f *Filter) (any, error) {
			return d.wantKey(publicid.Channel, f.ChannelID, "filterBy.channelId", "a channel")
		},
		matches: func(f *feed.Facts, want any) bool { return f.Channel == want.(int64) },
		where:   equal("channel_id"),
		cells:   equal("channel_id"),
		key:     by(feed.ByChannel, channelEvents),
		walk:    OwnIndex,
	},
	offChannels: {
		matches: func(f *feed.Facts, want any) bool { return !slices.Contains(want.([]int64), f.Channel) },
		where:   func(col columnOf, want any) *entsql.Predicate { return notIn(col("channel_id"), want.([]int64)) },
	},
	aboutRecord: {
		matches: func(f *feed.Facts, want any) bool { return f.Record == want.(int64) },
		where:   equal("record_id"),
		key:     by(feed.ByRecord, recordEvents),
		walk:    fewRows,
	},
	onTrail: {
		matches: func(f *feed.Facts, want any) bool { return f.Record != 0 && want.(*related.Trail).Has(f.Record) },
		where: func(col columnOf, want any) *entsql.Predicate {
			return entsql.P(func(b *entsql.Builder) { anyof.Keys(b.Ident(col("record_id")), "", want.(*related.Trail).Records()) })
		},
		walk: OwnIndex,
	},
	ofObjectType: {
		field: "objectType",
		filter: func(_ *Service, f *Filter) (any, error) {
			if f.ObjectType != nil && (*f.ObjectType == "" || !storable(*f.ObjectType)) {
				return nil, fault.Input("filterBy.objectType", "Give an object type such as Contact, or leave it out.")
			}
			return wanted(f.ObjectType), nil
		},
		matches: func(f *feed.Facts, want any) bool { return f.ObjectType == want.(string) },
		where: func(col columnOf, want any) *entsql.Predicate {
			return entsql.And(entsql.EQ(col("object_type"), want), notEmpty(col("object_type")))
		},
		cells: equal("object_type"),
		key: func(want any) (feed.Key, rarity) {
			return feed.Key{Fact: feed.ByObjectType, Name: want.(string)}, objectTypeEvents
		},
		walk: OwnIndex,
	},
	withInbound: {
		matches: func(f *feed.Facts, _ any) bool { return f.Inbound > 0 },
		where:   func(col columnOf, _ any) *entsql.Predicate { return entsql.GT(col("inbound_count"), 0) },
		tally: func(t count.Tally, _ any) count.Tally {
			t.Conversations, t.Unread = t.WithInbound, t.UnreadInbound
			return t
		},
	},
	isUnread: {
		field:   "isUnread",
		filter:  func(_ *Service, f *Filter) (any, error) { return wanted(f.IsUnread), nil },
		matches: func(f *feed.Facts, want any) bool { return f.Unread == want.(bool) },
		where:   equal("is_unread"),
		tally: func(t count.Tally, want any) count.Tally {
			if want == true {
				t.Conversations = t.Unread
				return t
			}
			return count.Tally{Conversations: t.Conversations - t.Unread}
		},
	},
	isAssigned: {
		field:   "isAssigned",
		filter:  func(_ *Service, f *Filter) (any, error) { return wanted(f.IsAssigned), nil },
		matches: func(f *feed.Facts, want any) bool { return (f.Owner != 0) == want.(bool) },
		where: func(col columnOf, want any) *entsql.Predicate {
			if want == true {
				return entsql.NotNull(col("owner_id"))
			}
			return entsql.IsNull(col("owner_id"))
		},
		cells: func(col columnOf, want any) *entsql.Predicate {
			if want == true {
				return entsql.GT(col("owner_id"), 0)
			}
			return entsql.EQ(col("owner_id"), 0)
		},
		key: func(want any) (feed.Key, rarity) {
			if want == true {
				return feed.Everything, allEvents
			}
			return feed.Key{Fact: feed.ByOwner}, nobodyEvents
		},
		walk: OwnIndex,
	},
	inDirection: {
		field:   "lastMessageDirection",
		filter:  func(_ *Service, f *Filter) (any, error) { return wanted((*string)(f.LastMessageDirection)), nil },
		matches: func(f *feed.Facts, want any) bool { return string(f.Direction) == want.(string) },
		where:   equal("last_direction"),
		walk:    noIndex,
	},
	sinceTime: {
		field:   "lastMessageFrom",
		filter:  func(_ *Service, f *Filter) (any, error) { return wanted((*int64)(f.LastMessageFrom)), nil },
		matches: func(f *feed.Facts, want any) bool { return int64(f.LastMessageAt) >= want.(int64) },
		where:   func(col columnOf, want any) *entsql.Predicate { return entsql.GTE(col("last_message_at"), want) },
	},
	beforeTime: {
		field:   "lastMessageBefore",
		filter:  func(_ *Service, f *Filter) (any, error) { return wanted((*int64)(f.LastMessageBefore)), nil },
		matches: func(f *feed.Facts, want any) bool { return int64(f.LastMessageAt) < want.(int64) },
		where:   func(col columnOf, want any) *entsql.Predicate { return entsql.LT(col("last_message_at"), want) },
	},
	// Statements begin at the agent's participants instead of asking where.
	sentBy: {
		matches: func(f *feed.Facts, want any) bool { return slices.Contains(f.SentBy, want.(int64)) },
		key:     by(feed.BySender, senderEvents),
		walk:    OwnIndex,
	},
}

// equal is the SQL form of a condition on the value of one column.
func equal(column string) func(columnOf, any) *entsql.Predicate {
	return func(col columnOf, want any) *entsql.Predicate { return entsql.EQ(col(column), want) }
}

// by is the key of a condition on one key.
func by(fact feed.Fact, events rarity) func(any) (feed.Key, rarity) {
	return func(want any) (feed.Key, rarity) { return feed.Key{Fact: fact, ID: want.(int64)}, events }
}

func notIn(column string, keys []int64) *entsql.Predicate {
	all := make([]any, len(keys))
	for i, key := range keys {
		all[i] = key
	}
	return entsql.NotIn(column, all...)
}

func notEmpty(column string) *entsql.Predicate {
	return entsql.P(func(b *entsql.Builder) { b.Ident(column).WriteString(" <> ''") })
}

// wanted is what a filter's field holds; nil when it holds nothing.
func wanted[T any](field *T) any {
	if field == nil {
		return nil
	}
	return *field
}

// wantKey is the key of the id that a filter's field holds.
func (d *Service) wantKey(kind publicid.Kind, id *string, field, what string) (any, error) {
	if id == nil {
		return nil, nil
	}
	key, ok := d.IDs.Decode(kind, *id)
	if !ok {
		return nil, fault.Input(field, "This is not the id of %s.", what)
	}
	return key, nil
}

// storable reports whether a column could hold s: PostgreSQL refuses even to
// compare what it cannot hold.
func storable(s string) bool { return channel.CleanText(s) == s }

// FilterCost returns what a page passes over for a filter with these fields, whatever
// they hold, and whether the standing counts answer for it.
func FilterCost(has func(field string) bool) (w Walk, counted bool) {
	counted = true
	for i := range conditions {
		if c := &conditions[i]; c.filter != nil && has(c.field) {
			w, counted = w+c.walk, counted && c.counted()
		}
	}
	return w, counted
}

// counted reports whether the standing counts answer for the condition.
func (c *condition) counted() bool { return c.cells != nil || c.tally != nil }
