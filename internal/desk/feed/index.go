package feed

import (
	"iter"
	"slices"
)

// Fact is what of an event a stream can be found by.
type Fact uint8

// The facts.
const (
	byAny Fact = iota
	ByConversation
	ByOwner // 0: nobody
	ByChannel
	ByQueue
	ByRecord
	BySender // an agent who sent an outbound
	ByObjectType
	ByLookup
	BySubject // Name is its kind; ID 0 stands for all of the kind
)

// Key is a fact with its value. A stream names those that can concern it, so
// that an event costs the streams it may concern, however many others there are.
type Key struct {
	Fact Fact
	ID   int64
	Name string // of an object type, or the kind of a subject
}

// Everything is the key of every event, AnyLookup that of every change of lookups, and
// ManyLookups that of one whose ends are too many to be named.
var (
	Everything  = Key{}
	AnyLookup   = Key{Fact: ByLookup}
	ManyLookups = Key{Fact: ByLookup, ID: 1}
)

// Keys are the keys of the event and of its facts before and after, some more
// than once.
func (e *Event) Keys() iter.Seq[Key] {
	return func(yield func(Key) bool) {
		_ = yield(Everything) && e.subject(yield) && e.Before.keys(yield) && e.After.keys(yield)
	}
}

func (e *Event) subject(yield func(Key) bool) bool {
	if s := e.Subject; s != nil {
		return yield(Key{BySubject, s.Key, string(s.Kind)}) && yield(Key{BySubject, 0, string(s.Kind)})
	}
	if e.Cause != LookupsChanged {
		return yield(Key{Fact: ByConversation, ID: e.ConversationID})
	}
	for _, record := range e.Ends {
		if !yield(Key{Fact: ByRecord, ID: record}) {
			return false
		}
	}
	return yield(AnyLookup) && (!e.AnyEnd || yield(ManyLookups))
}

func (f *Facts) keys(yield func(Key) bool) bool {
	if f == nil {
		return true
	}
	for _, agent := range f.SentBy {
		if !yield(Key{Fact: BySender, ID: agent}) {
			return false
		}
	}
	return yield(Key{Fact: ByOwner, ID: f.Owner}) && yield(Key{Fact: ByChannel, ID: f.Channel}) && yield(Key{Fact: ByQueue, ID: f.Queue}) &&
		yield(Key{Fact: ByRecord, ID: f.Record}) && yield(Key{Fact: ByObjectType, Name: f.ObjectType})
}

// index finds the streams that an event may concern.
type index struct {
	all   map[*Stream]struct{}
	byKey map[Key][]*Stream
}

func newIndex() *index { return &index{all: map[*Stream]struct{}{}, byKey: map[Key][]*Stream{}} }

func (x *index) add(s *Stream) {
	x.all[s] = struct{}{}
	for _, k := range s.keys {
		x.byKey[k] = append(x.byKey[k], s)
	}
}

// remove does nothing to a stream that is not there.
func (x *index) remove(s *Stream) {
	if _, there := x.all[s]; !there {
		return
	}
	delete(x.all, s)
	for _, k := range s.keys {
		streams := x.byKey[k]
		last := len(streams) - 1
		streams[slices.Index(streams, s)] = streams[last]
		streams[last] = nil
		if x.byKey[k] = streams[:last]; last == 0 {
			delete(x.byKey, k)
		}
	}
}

// concerned appends the streams that e may concern, each once: those that named
// one of its keys, and every stream for a change of the directory. A stream that
// begins after e is left out.
func (x *index) concerned(e *Event, found []*Stream) []*Stream {
	look := func(s *Stream) {
		if s.looked < e.Position {
			s.looked = e.Position
			found = append(found, s)
		}
	}
	if e.Cause == DirectoryChanged {
		for s := range x.all {
			look(s)
		}
		return found
	}
	for k := range e.Keys() {
		for _, s := range x.byKey[k] {
			look(s)
		}
	}
	return found
}
