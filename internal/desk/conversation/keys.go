package conversation

import (
	"parley/internal/desk/feed"
	"parley/internal/desk/rule"
	"parley/internal/ground/viewer"
)

// Everything is the scope of all that v sees.
func Everything(v *viewer.Viewer) *Scope { return &Scope{sight: rule.Visible(v)} }

// Keys are facts of which every event that the scope matches, before or after,
// has one: those that fewest other events have, as far as the kind of a
// condition tells. None when the scope matches nothing.
func (s *Scope) Keys() []feed.Key {
	if s.conds[nothing] != nil {
		return nil
	}
	if trail := s.Trail(); trail != nil {
		return s.trailKeys(trail.Passed())
	}
	return s.rarest()
}

// trailKeys are the keys of whatever happens with the records that a trail passes, or of
// every change of lookups where these are many.
func (s *Scope) trailKeys(passed map[int64]struct{}) []feed.Key {
	if len(passed) > mostKeys {
		return append(s.rarest(), feed.AnyLookup)
	}
	keys := []feed.Key{feed.ManyLookups}
	for record := range passed {
		keys = append(keys, feed.Key{Fact: feed.ByRecord, ID: record})
	}
	return keys
}

func (s *Scope) rarest() []feed.Key {
	rarest, of := feed.Everything, allEvents
	for i, want := range s.conds {
		if want == nil || conditions[i].key == nil {
			continue
		}
		if key, events := conditions[i].key(want); events < of {
			rarest, of = key, events
		}
	}
	if seen := s.sightKeys(); seen != nil && of > seenEvents {
		return seen
	}
	return []feed.Key{rarest}
}

// mostKeys bounds what a stream costs whose viewer shares very many channels.
const mostKeys = 64

// sightKeys are the keys of what the viewer sees; nil when these are no few.
func (s *Scope) sightKeys() []feed.Key {
	if s.sight.All() {
		return nil
	}
	keys := []feed.Key{}
	for _, term := range s.terms() {
		if len(term.IDs) == 0 || len(keys)+len(term.IDs) > mostKeys {
			return nil
		}
		for _, id := range term.IDs {
			keys = append(keys, feed.Key{Fact: factOf[term.Column], ID: id})
		}
	}
	return keys
}

var factOf = map[string]feed.Fact{"owner_id": feed.ByOwner, "channel_id": feed.ByChannel, "queue_id": feed.ByQueue}
