package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"parley/app"
	"parley/internal/desk/conversation"
	"parley/internal/desk/search"
	"parley/internal/ground/viewer"
)

const searchQuery = `query Search($query: String!, $kinds: [SearchKind!]) { search(query: $query, kinds: $kinds, first: 20) {
	isComplete pageInfo { hasNextPage endCursor }
	nodes { kind highlights { start end } conversation { id name lastMessageAt } message { id content { ... on TextContent { text } } } } } }`

// searches compares what is searched for, by how often it occurs: an agent who
// sees everything against one who sees a part.
func (s *settings) searches(ctx context.Context, r *report) error {
	return s.withApp(ctx, func(ctx context.Context, a *app.App) error {
		for _, username := range []string{"ada", "amy"} {
			if err := s.searchesOf(ctx, r, a, username); err != nil {
				return err
			}
		}
		return nil
	})
}

// sought is something to search for.
type sought struct {
	name string
	search.Input
}

func (s *settings) searchesOf(ctx context.Context, r *report, a *app.App, username string) error {
	v, err := a.Directory.Viewer(username)
	if err != nil {
		return err
	}
	by, err := newCaller(a, username, searchers)
	if err != nil {
		return err
	}
	all, err := whatIsSought(viewer.NewContext(ctx, v), a, by)
	if err != nil {
		return err
	}
	c := comparison{group: "search by " + username + ", 20 hits", clients: searchers}
	for _, one := range all {
		asked, err := by.repeated(one.name, searchQuery, map[string]any{"query": one.Query, "kinds": one.Kinds})
		if err != nil {
			return err
		}
		c.contenders = append(c.contenders, asked)
	}
	turns, err := s.takeTurns(ctx, c)
	if err != nil {
		return err
	}
	for i, one := range all {
		page, err := a.Schema.Searcher.Find(viewer.NewContext(ctx, v), one.Input)
		if err != nil {
			return err
		}
		f := summary(c, one.name, turns[i], turns[0])
		f.Note = fmt.Sprintf("%d hits, %d rows visited", len(page.Nodes), page.Visited)
		if !page.IsComplete {
			f.Note += ", not complete"
		}
		r.add(f)
	}
	return nil
}

// searchers is how many clients search at once.
const searchers = 2

// whatIsSought are things to search for in what package seed makes, the baseline
// first: a word that is in few messages.
func whatIsSought(ctx context.Context, a *app.App, by *caller) ([]sought, error) {
	page, err := a.Conversations.List(ctx, conversation.View{Kind: conversation.All}, nil, nil, conversation.Window{Size: 100}, conversation.Selected{})
	if err != nil {
		return nil, err
	}
	if len(page.Nodes) == 0 {
		return nil, errors.New("there is nothing to search in; seed more")
	}
	someone := page.Nodes[len(page.Nodes)-1]
	rare, err := anOrder(ctx, by)
	if err != nil {
		return nil, err
	}
	number := someone.Address
	text := func(name, query string) sought {
		return sought{name, search.Input{Query: query, Kinds: []search.Kind{search.Text}, Size: 20}}
	}
	return []sought{
		text("rare: an order by its number", rare),
		text("none: a word that is not there", "zzzz"),
		text("common: order", "order"),
		text("two common words that never meet", "thanks your"),
		text("beginning of one letter", "y"),
		text("beginning of three letters", "inv"),
		{"everything: a first name", search.Input{Query: strings.Fields(someone.Name())[0], Size: 20}},
		{"number in full", search.Input{Query: number, Size: 20}},
		{"last four digits", search.Input{Query: number[max(0, len(number)-4):], Size: 20}},
	}, nil
}

// anOrder is an order that a message names, as somebody would look for it.
func anOrder(ctx context.Context, by *caller) (string, error) {
	var found struct {
		Search struct {
			Nodes []struct {
				Message struct{ Content struct{ Text string } }
			}
		}
	}
	const query = `{ search(query: "order", kinds: [TEXT], first: 100) { nodes { message { content { ... on TextContent { text } } } } } }`
	if err := by.ask(ctx, &found, query, nil); err != nil {
		return "", err
	}
	for _, hit := range found.Search.Nodes {
		if number := orders.FindString(hit.Message.Content.Text); number != "" {
			return "order " + number, nil
		}
	}
	return "", errors.New("no message names an order; seed more")
}

var orders = regexp.MustCompile(`\b\d{5}\b`)
