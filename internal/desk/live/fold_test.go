package live_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/check/parleytest"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/desk/live"
	"parley/internal/desk/message"
	"parley/internal/ground/viewer"
)

// Folding a stream is running its query again: after every step of whatever
// happens, for any view and filter and for the counts of inboxes, for viewers
// whose rights change, and for subscribers who break off and come back.
func TestFoldingAStreamIsRunningTheQueryAgain(t *testing.T) {
	t.Parallel()
	patience := 10 * time.Second // less once there is a case to shrink
	rapid.Check(t, func(r *rapid.T) {
		c := &trial{TB: t}
		defer c.end()
		o := newOffice(c, &patience)
		var there, away []fold
		defer func() {
			for _, f := range there {
				f.breakOff()
			}
		}()
		r.Repeat(map[string]func(*rapid.T){
			"watch": func(r *rapid.T) {
				if len(there)+len(away) < 8 {
					there = append(there, o.drawFold(r))
				}
			},
			"break off": func(r *rapid.T) {
				if len(there) > 0 {
					f := rapid.SampledFrom(there).Draw(r, "who")
					f.breakOff()
					there, away = without(there, f), append(away, f)
				}
			},
			"come back": func(r *rapid.T) {
				if len(away) > 0 {
					f := rapid.SampledFrom(away).Draw(r, "who")
					away, there = without(away, f), append(there, f)
				}
			},
			"write":  o.write,
			"answer": o.write,
			"relate": o.relate,
			"rights": o.changeRights,
			"reads":  o.changeReads,
			"clock":  o.stepClock,
			"at once": func(r *rapid.T) {
				for range rapid.IntRange(2, 12).Draw(r, "how many") {
					rapid.SampledFrom([]func(*rapid.T){o.write, o.write, o.relate, o.write, o.changeRights, o.changeReads}).Draw(r, "what")(r)
				}
			},
			"": func(r *rapid.T) {
				for _, f := range there {
					f.settle(r)
				}
			},
		})
	})
}

func without(folds []fold, f fold) []fold {
	return slices.DeleteFunc(slices.Clone(folds), func(g fold) bool { return g == f })
}

// Folding the stream of a trail is running its query again, while lookups, records on the
// way, mappings and rights change, records are merged and converted, and conversations
// change meanwhile. The trail holds what a walk of one record after the other finds.
func TestFoldingATrailIsRunningTheQueryAgain(t *testing.T) {
	t.Parallel()
	patience := 10 * time.Second
	rapid.Check(t, func(r *rapid.T) {
		c := &trial{TB: t}
		defer c.end()
		o := newOffice(c, &patience)
		o.startAll()
		var folds []fold
		defer func() {
			for _, f := range folds {
				f.breakOff()
			}
		}()
		for _, username := range []string{"root", "amy", "bo"} {
			view := conversation.View{Kind: conversation.RecordTrail, Subject: &o.records[0]}
			folds = append(folds, o.foldView(username, view, &conversation.Filter{}), o.foldView(username, view, o.drawFilter(r)))
		}
		anything := []func(*rapid.T){o.relate, o.relate, o.relate, o.write, o.changeRights, o.changeReads}
		for range rapid.IntRange(1, 12).Draw(r, "rounds") {
			for range rapid.IntRange(1, 5).Draw(r, "at once") {
				anything[rapid.IntRange(0, len(anything)-1).Draw(r, "what")](r)
			}
			for _, username := range []string{"root", "amy", "bo"} {
				o.requireWalked(r, username)
			}
			for i, f := range folds {
				if rapid.IntRange(0, 9).Draw(r, "away") == 9 {
					folds[i].breakOff()
					o.relate(r)
				}
				f.settle(r)
			}
		}
	})
}

// startAll starts a conversation with every record, some of them on a channel of bo's.
func (o *office) startAll() {
	for i, record := range o.records {
		for _, c := range o.Directory.Channels() {
			if c.Address == []string{parleytest.Sales, parleytest.Support}[i%2] {
				key := fmt.Sprint("start-", i)
				_, err := o.Messenger.Start(o.Context("root"), message.StartInput{ChannelID: c.ID, RecordID: &record, Text: "Hello", IdempotencyKey: key})
				require.NoError(o.T, err)
			}
		}
		o.Say(customerAt(i), parleytest.Sales, "Hello")
	}
}

// drawFold is a subscriber to any view with any filter, or to the counts of the
// inboxes.
func (o *office) drawFold(r *rapid.T) fold {
	username := rapid.SampledFrom(o.usernames).Draw(r, "username")
	if rapid.IntRange(0, 4).Draw(r, "counts?") == 0 {
		return o.foldCounts(username)
	}
	view, filter := o.drawView(r), o.drawFilter(r)
	return o.foldView(username, view, filter)
}

// foldView folds a view as the SDL tells clients to.
func (o *office) foldView(username string, view conversation.View, filter *conversation.Filter) fold {
	query := func(v *viewer.Viewer) (state, string, error) {
		ctx := viewer.NewContext(o.T.Context(), v)
		page, err := o.Conversations.List(ctx, view, filter, nil, conversation.Window{Size: 100}, conversation.Selected{})
		if err != nil {
			return nil, "", err
		}
		s := state{}
		for _, edge := range page.Edges() {
			s[edge.Node.ID()] = shown(edge)
		}
		counts, _, err := o.Conversations.Count(ctx, page.Scope)
		s["counts"] = fmt.Sprint(counts)
		return s, page.FeedCursor(), err
	}
	return &subscriber[*live.Change]{
		office: o, username: username, query: query, what: fmt.Sprintf("%s %s %s", view.Kind, text(view.Subject), written(filter)),
		open: func(v *viewer.Viewer, after *string, end live.End) (<-chan *live.Change, func(), error) {
			return opened(v, func(ctx ctx) (<-chan *live.Change, error) {
				return o.Schema.Live.Conversations(ctx, view, filter, after, end)
			})
		},
		apply: func(s state, c *live.Change) (state, string) {
			switch c.Kind {
			case feed.Enter, feed.Update:
				s[*c.ConversationID] = shown(c.Edge())
			case feed.Leave:
				delete(s, *c.ConversationID)
			case feed.Reset:
				s = o.queried(username, query)
			case feed.Open:
			}
			s["counts"] = fmt.Sprint(c.Counts)
			return s, c.Cursor
		},
	}
}

// shown is everything of a row that may change, and by which mapping it is related.
func shown(e *conversation.Edge) string {
	r, by := e.Node, ""
	if e.RelatedBy != nil {
		by = e.RelatedBy.Label
	}
	return fmt.Sprint(by, r.RecordID, r.Type, r.OwnerID, r.QueueID, r.Assigned, r.Title, r.Preview, r.LastMessageAt, r.LastMessageID,
		r.LastDirection, r.LastIncoming, r.IsUnread, r.InboundCount, r.ReadCount, r.LastSeq, r.SentBy)
}

// foldCounts folds the counts of an agent's inboxes.
func (o *office) foldCounts(username string) fold {
	return &subscriber[*live.InboxCountsChange]{
		office: o, username: username, what: "the counts of inboxes",
		query: func(v *viewer.Viewer) (state, string, error) {
			list, err := o.Conversations.Inboxes(viewer.NewContext(o.T.Context(), v))
			if err != nil {
				return nil, "", err
			}
			s := state{}
			s.put(list.Inboxes)
			return s, list.FeedCursor(), nil
		},
		open: func(v *viewer.Viewer, after *string, end live.End) (<-chan *live.InboxCountsChange, func(), error) {
			return opened(v, func(ctx ctx) (<-chan *live.InboxCountsChange, error) {
				return o.Schema.Live.InboxCounts(ctx, after, end)
			})
		},
		apply: func(s state, c *live.InboxCountsChange) (state, string) {
			if c.Kind != feed.Update {
				s = state{}
			}
			s.put(c.Inboxes)
			return s, c.Cursor
		},
	}
}

// put replaces what is shown beside the inboxes.
func (s state) put(inboxes []*conversation.Inbox) {
	for _, in := range inboxes {
		key := fmt.Sprint(in.Kind, " ", text(in.Subject))
		if s[key] = fmt.Sprint(in.Counts); in.Counts == (conversation.Counts{}) {
			delete(s, key) // an object type of nothing is not listed
		}
	}
}
