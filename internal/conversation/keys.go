package conversation

import (
	"parley/internal/feed"
	"parley/internal/rule"
	"parley/internal/viewer"
)

// Everything is the scope of all that v sees.
func Everything(v *viewer.Viewer) *Scope { return &Scope{sight: rule.Visible(v)} }

// Keys are facts of which every event that the scope matches, before or after,
// has one: those that fewest other events have, as far as the kind of a
// condition tells. None when the scope matches nothing.
func (s *Scope) Keys() []feed.Key {
	c := &s.conds
	sight := s.sightKeys()
	switch {
	case c.nothing:
		return nil
	case c.record != nil:
		return []feed.Key{{Fact: feed.ByRecord, ID: *c.record}}
	case c.owner != nil && *c.owner != 0:
		return []feed.Key{{Fact: feed.ByOwner, ID: *c.owner}}
	case c.sentBy != nil:
		return []feed.Key{{Fact: feed.BySender, ID: *c.sentBy}}
	case c.channel != nil:
		return []feed.Key{{Fact: feed.ByChannel, ID: *c.channel}}
	case sight != nil:
		return sight
	case c.objectType != nil:
		return []feed.Key{{Fact: feed.ByObjectType, Name: *c.objectType}}
	case c.owner != nil || c.assigned != nil && !*c.assigned:
		return []feed.Key{{Fact: feed.ByOwner}} // nobody's
	}
	return []feed.Key{feed.Everything}
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
