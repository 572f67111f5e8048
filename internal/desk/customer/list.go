package customer

import (
	"context"
	"maps"
	"slices"
	"strings"

	entsql "entgo.io/ent/dialect/sql"

	"parley/ent/messaginguser"
	"parley/ent/predicate"
	"parley/internal/channel"
	"parley/internal/desk/conversation"
	"parley/internal/ground/cursor"
	"parley/internal/ground/page"
	"parley/internal/ground/publicid"
)

// Filter chooses customers; a nil field asks for nothing.
type Filter struct {
	ChannelID     *string
	ConsentStatus *channel.Consent
	ExternalID    *string
	// Address is what the address begins with.
	Address *string
	// Name is what the name begins with, whatever its case.
	Name *string
}

// Entry is a customer in a list.
type Entry struct {
	*conversation.MessagingUser

	service *Service
}

const place cursor.Kind = "messaging users"

// Cursor is its place in the list.
func (e Entry) Cursor() string { return e.service.Cursors.Seal(place, e.Key) }

// Page is a page of customers, newest first.
type Page struct{ page.Page[Entry] }

// Nodes are the page's customers without cursors.
func (p *Page) Nodes() []*conversation.MessagingUser {
	nodes := make([]*conversation.MessagingUser, len(p.Page.Nodes))
	for i, n := range p.Page.Nodes {
		nodes[i] = n.MessagingUser
	}
	return nodes
}

// Edge is a customer in a page.
type Edge struct {
	Node   *conversation.MessagingUser
	Cursor string
}

// Edges are the page's customers with cursors.
func (p *Page) Edges() []*Edge {
	edges := make([]*Edge, len(p.Page.Nodes))
	for i, n := range p.Page.Nodes {
		edges[i] = &Edge{n.MessagingUser, n.Cursor()}
	}
	return edges
}

// List reads a page of the customers whom the viewer of ctx sees. Those who were merged
// into others are left out.
func (s *Service) List(ctx context.Context, filter *Filter, w page.Window) (*Page, error) {
	query := s.Store.Ent.MessagingUser.Query().Where(messaginguser.MergedIntoIsNil()).Where(s.wanted(filter)...)
	if w.Cursor != "" {
		var key int64
		if err := w.Place(s.Cursors.Sealer, place, "messaging users", &key); err != nil {
			return nil, err
		}
		query.Where(messaginguser.IDLT(key))
	}
	var keys []int64
	err := s.Store.Scan(ctx, func(ctx context.Context) (err error) {
		keys, err = query.Order(messaginguser.ByID(entsql.OrderDesc())).Limit(w.Size + 1).IDs(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	users, err := s.Conversations.Users(ctx, keys)
	if err != nil {
		return nil, err
	}
	nodes := make([]Entry, 0, len(keys))
	for _, key := range keys {
		if u := users[key]; u != nil { // they may have been lost from sight in between
			nodes = append(nodes, Entry{u, s})
		}
	}
	return &Page{page.Of(nodes, w)}, nil
}

// mostNamed is how many customers of one address Named finds: two say that it is not enough.
const mostNamed = 2

// Named finds the customers with an id or an address whom the viewer of ctx sees, on a
// channel or, for 0, on any. Those who were merged into others are among them.
func (s *Service) Named(ctx context.Context, name string, channelKey int64) ([]*conversation.MessagingUser, error) {
	query := s.Store.Ent.MessagingUser.Query()
	if key, is := s.IDs.Decode(publicid.MessagingUser, name); is {
		query.Where(messaginguser.ID(key))
	} else {
		query.Where(messaginguser.Address(name))
	}
	if channelKey != 0 {
		query.Where(messaginguser.ChannelID(channelKey))
	}
	var keys []int64
	err := s.Store.Scan(ctx, func(ctx context.Context) (err error) {
		keys, err = query.Limit(mostNamed).IDs(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	users, err := s.Conversations.Users(ctx, keys)
	return slices.Collect(maps.Values(users)), err
}

func (s *Service) wanted(f *Filter) (wanted []predicate.MessagingUser) {
	if f == nil {
		return nil
	}
	if f.ChannelID != nil {
		key, _ := s.IDs.Decode(publicid.Channel, *f.ChannelID) // no channel has the key 0
		wanted = append(wanted, messaginguser.ChannelID(key))
	}
	if f.ConsentStatus != nil {
		wanted = append(wanted, messaginguser.ConsentStatus(*f.ConsentStatus))
	}
	if f.ExternalID != nil {
		wanted = append(wanted, messaginguser.ExternalID(strings.TrimSpace(*f.ExternalID)))
	}
	if f.Address != nil {
		wanted = append(wanted, messaginguser.AddressHasPrefix(strings.TrimSpace(*f.Address)))
	}
	if f.Name != nil {
		wanted = append(wanted, func(q *entsql.Selector) {
			q.Where(entsql.HasPrefixFold(q.C(messaginguser.FieldName), strings.TrimSpace(*f.Name)))
		})
	}
	return wanted
}
