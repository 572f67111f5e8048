package feed_test

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/desk/feed"
)

// drawKeys are keys that a stream may name, of a small world.
func drawKeys(t *rapid.T) []feed.Key {
	key := rapid.Custom(func(t *rapid.T) feed.Key {
		k := feed.Key{Fact: rapid.SampledFrom([]feed.Fact{
			feed.Everything.Fact, feed.ByConversation, feed.ByOwner, feed.ByChannel, feed.ByQueue, feed.ByRecord, feed.BySender, feed.ByObjectType,
		}).Draw(t, "fact")}
		switch k.Fact {
		case feed.Everything.Fact:
		case feed.ByObjectType:
			k.Name = rapid.SampledFrom([]string{"Contact", "Lead"}).Draw(t, "name")
		default:
			k.ID = rapid.Int64Range(0, 3).Draw(t, "id")
		}
		return k
	})
	return rapid.SliceOfN(key, 0, 4).Draw(t, "keys")
}

func drawEvent(t *rapid.T) *feed.Event {
	small := rapid.Int64Range(0, 3)
	facts := rapid.Ptr(rapid.Custom(func(t *rapid.T) feed.Facts {
		return feed.Facts{
			Owner: small.Draw(t, "owner"), Channel: small.Draw(t, "channel"), Queue: small.Draw(t, "queue"), Record: small.Draw(t, "record"),
			ObjectType: rapid.SampledFrom([]string{"", "Contact", "Lead"}).Draw(t, "type"), SentBy: rapid.SliceOfN(small, 0, 3).Draw(t, "sent by"),
		}
	}), true)
	return &feed.Event{
		Cause:          rapid.SampledFrom([]feed.Cause{feed.MessageAdded, feed.ConversationAssigned, feed.DirectoryChanged}).Draw(t, "cause"),
		ConversationID: small.Draw(t, "conversation"), Before: facts.Draw(t, "before"), After: facts.Draw(t, "after"),
	}
}

// has says in the plainest way whether a stream with the key is to be asked.
func has(e *feed.Event, k feed.Key) bool {
	of := func(f *feed.Facts) bool {
		if f == nil {
			return false
		}
		switch k.Fact {
		case feed.ByOwner:
			return f.Owner == k.ID
		case feed.ByChannel:
			return f.Channel == k.ID
		case feed.ByQueue:
			return f.Queue == k.ID
		case feed.ByRecord:
			return f.Record == k.ID
		case feed.BySender:
			return slices.Contains(f.SentBy, k.ID)
		case feed.ByObjectType:
			return f.ObjectType == k.Name
		default:
			return false
		}
	}
	return k == feed.Everything || k.Fact == feed.ByConversation && e.ConversationID == k.ID || of(e.Before) || of(e.After)
}

// An event is shown to the streams that named one of its keys, to each once, and
// to no other; streams come and go in between.
func TestAnEventIsShownToThoseItMayConcern(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		type watcher struct {
			*feed.Stream
			keys  []feed.Key
			shown int
		}
		hub, there, position := feed.StillHub(), []*watcher{}, int64(0)
		t.Repeat(map[string]func(*rapid.T){
			"come": func(t *rapid.T) {
				w := &watcher{keys: drawKeys(t)}
				w.Stream = hub.Live(w.keys, func(*feed.Event) bool { w.shown++; return false })
				there = append(there, w)
			},
			"go": func(t *rapid.T) {
				if len(there) > 0 {
					i := rapid.IntRange(0, len(there)-1).Draw(t, "who")
					there[i].Close()
					there = slices.Delete(there, i, i+1)
				}
			},
			"event": func(t *rapid.T) {
				e := drawEvent(t)
				position++
				e.Position = position
				hub.Deliver(e)
				for _, w := range there {
					want := 0
					if e.Cause == feed.DirectoryChanged || slices.ContainsFunc(w.keys, func(k feed.Key) bool { return has(e, k) }) {
						want = 1
					}
					require.Equal(t, want, w.shown, "%v", w.keys)
					w.shown = 0
				}
			},
			"": func(t *rapid.T) { require.Equal(t, len(there), hub.Streams()) },
		})
	})
}

// crowd is a hub with ten streams that an event concerns and others that it does
// not, each of which watches an agent of its own.
func crowd(others int) (hub *feed.Hub, concerned []*feed.Stream) {
	hub = feed.StillHub()
	live := func(agent int64) *feed.Stream {
		return hub.Live([]feed.Key{{Fact: feed.ByOwner, ID: agent}}, func(e *feed.Event) bool { return e.After.Owner == agent })
	}
	for range 10 {
		concerned = append(concerned, live(1))
	}
	for i := range others {
		live(int64(i) + 2)
	}
	return hub, concerned
}

// Ten concerned of 10,000 cost what ten of ten cost: the two take turns, and
// their ratio is a metric.
func BenchmarkTenConcernedOfManyStreams(b *testing.B) {
	few, ofFew := crowd(0)
	many, ofMany := crowd(9_990)
	position, took := int64(0), map[*feed.Hub]time.Duration{}
	turn := func(hub *feed.Hub, concerned []*feed.Stream) {
		start := time.Now()
		for range 100 {
			position++
			hub.Deliver(&feed.Event{Position: position, Before: &feed.Facts{Owner: 1, Channel: 7}, After: &feed.Facts{Owner: 1, Channel: 7}})
		}
		took[hub] += time.Since(start)
		for _, s := range concerned {
			for range 100 {
				if _, err := s.Next(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	for b.Loop() {
		turn(few, ofFew)
		turn(many, ofMany)
	}
	b.ReportMetric(float64(took[few])/float64(b.N)/100, "ns/event-of-10")
	b.ReportMetric(float64(took[many])/float64(b.N)/100, "ns/event-of-10000")
	b.ReportMetric(float64(took[many])/float64(took[few]), "ratio")
}

// What a stream costs while nothing happens to it.
func BenchmarkIdleStream(b *testing.B) {
	hub, streams := feed.StillHub(), make([]*feed.Stream, 0, b.N)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range b.N {
		streams = append(streams, hub.Live([]feed.Key{{Fact: feed.ByConversation, ID: int64(i)}}, all))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(b.N), "B/stream")
	runtime.KeepAlive(streams)
}

// A burst larger than what may wait ends only the stream that nobody reads.
func TestABurstWaitsForItsReader(t *testing.T) {
	t.Parallel()
	hub := feed.StillHub()
	s := hub.Live(everything, all)
	const burst = 4096
	for i := range int64(burst) {
		hub.Deliver(&feed.Event{Position: i + 1})
	}
	for i := range int64(burst) {
		require.Equal(t, i+1, next(t, s).Position)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Next(ctx)
	require.ErrorIs(t, err, context.Canceled, "it goes on")
}
