package hostile_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/publicid"
)

// attack is a test against a server that others attack too, one after the other.
type attack struct {
	name string
	run  func(*world)
}

func (w *world) attack(t *testing.T, attacks []attack) {
	t.Helper()
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			mine := *w
			mine.t = t
			a.run(&mine)
		})
	}
}

// What an agent may not see is not there: not by what is answered, not by how. Who
// tries it has all the time in the world, and so no rate.
func TestAnAgentLearnsNothingOfWhatOthersHave(t *testing.T) {
	w := newWorld(t, 400, "--rate", "0")
	w.attack(t, []attack{
		{"a hidden word is answered as one that is nowhere", hiddenWordsAreNowhere},
		{"a hidden word is not found letter by letter", noWordIsWalked},
		{"many hidden messages take no time", manyHiddenMessagesTakeNoTime},
		{"many hidden messages change neither page nor flags", manyHiddenMessagesAreNone},
		{"a cursor is opaque and of one length", cursorsAreOpaque},
		{"a cursor cannot be made or changed", cursorsCannotBeMade},
		{"a cursor of one list is none of another", cursorsAreOfTheirList},
		{"a cursor of another agent shows only own rows", cursorsGiveNoRights},
		{"a feed cursor does not tell how much others write", feedCursorsCountNothing},
		{"an id of what is hidden is answered as one of nothing", hiddenIDsAreAbsent},
		{"no text is a fault of the server", noTextIsInternal},
		{"a text that nobody sees is no text", blankTextsAreRefused},
	})
}

// object is a conversation with what belongs to it, by public ids.
type object struct {
	ID, MobileNumber, ObjectType string
	MessagingUser, LastMessage   struct{ ID string }
	Record                       *struct{ ID, ExternalID string }
}

const everything = `query($after: String) { conversations(view: {kind: ALL}, first: 100, after: $after) {
	nodes { id mobileNumber objectType messagingUser { id } lastMessage { id } record { id externalId } } pageInfo { hasNextPage endCursor } } }`

// conversations are all that the agent sees.
func (a *agent) conversations() (all []object) {
	a.t.Helper()
	v := vars{}
	for {
		var page struct {
			Conversations struct {
				Nodes    []object
				PageInfo struct {
					HasNextPage bool
					EndCursor   *string
				}
			}
		}
		a.do(&page, everything, v)
		all = append(all, page.Conversations.Nodes...)
		if !page.Conversations.PageInfo.HasNextPage {
			return all
		}
		v["after"] = page.Conversations.PageInfo.EndCursor
	}
}

// sights are what the attacker sees, and what there is besides.
type sights struct {
	own, hidden []object
	secret      map[string]bool // the ids of what is hidden
}

func (a *agent) sights() sights {
	a.t.Helper()
	s := sights{own: a.conversations(), secret: map[string]bool{}}
	mine := map[string]bool{}
	for _, o := range s.own {
		for _, id := range o.ids() {
			mine[id] = true
		}
	}
	for _, o := range a.as("ada").conversations() {
		if mine[o.ID] {
			continue
		}
		s.hidden = append(s.hidden, o)
		for _, id := range o.ids() {
			s.secret[id] = !mine[id] // a record may have conversations of both
		}
	}
	require.NotEmpty(a.t, s.own)
	require.Greater(a.t, len(s.hidden), 250)
	return s
}

func (o object) ids() []string {
	ids := []string{o.ID, o.MessagingUser.ID, o.LastMessage.ID}
	if o.Record != nil {
		ids = append(ids, o.Record.ID)
	}
	return ids
}

// gives are the hidden objects that an answer shows, but for what was asked by.
func (s *sights) gives(body string, asked ...string) (secrets []string) {
	for _, id := range objects(body) {
		if s.secret[id] && !slices.Contains(asked, id) {
			secrets = append(secrets, id)
		}
	}
	return secrets
}

// of is the object's id of a kind; empty when it has none.
func (o object) of(kind publicid.Kind) string {
	switch kind {
	case publicid.Conversation:
		return o.ID
	case publicid.Message:
		return o.LastMessage.ID
	case publicid.MessagingUser:
		return o.MessagingUser.ID
	case publicid.Record:
		if o.Record != nil {
			return o.Record.ID
		}
	}
	return ""
}
