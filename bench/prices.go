package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"parley/app"
	"parley/graph"
	"parley/internal/edge/admission"
	"parley/internal/edge/limit"
	"parley/internal/edge/server"
	"parley/internal/ground/price"
	"parley/internal/ground/store/address"
	"parley/resolvers"
)

// priced is a document whose work is mostly one field's.
type priced struct {
	name, query string
	dear        bool // one agent sends 64 of it at once
}

// pricedDocuments are documents for every field that can be dear.
func pricedDocuments(conversation string) []priced {
	list := func(view, filter, fields string) string {
		return `{ conversations(view: {kind: ` + view + `}, first: 50` + filter + `) { ` + fields + ` } }`
	}
	edge := func(fields string) string { return list("ALL", "", "nodes { id "+fields+" }") }
	total := func(filter string) string {
		return `{ conversations(view: {kind: ALL}, first: 1, filterBy: {` + filter + `}) { totalCount } }`
	}
	bulk := func(selection string) string {
		return `mutation { bulkMarkConversationsRead(input: {dryRun: true, idempotencyKey: "a", selection: {` + selection + `}}) { preview { total } } }`
	}
	const from = `lastMessageFrom: "199%d-01-01T00:00:00Z"`
	counts := strings.Builder{}
	for i := range 4 {
		fmt.Fprintf(&counts, `a%d: conversations(view: {kind: ALL}, first: 1, filterBy: {`+from+`}) { totalCount } `, i, i)
	}
	draft := strings.Repeat("Grüße aus Köln. ", 500)
	return []priced{
		{"a page, 8 fields", list("ALL", "", "nodes { id name preview isUnread newCount lastMessageAt owner { id name } }"), false},
		{"a page that walks through the list", list("ALL", `, filterBy: {isUnread: false, isAssigned: false, objectType: "Contact", lastMessageDirection: INBOUND}`, "nodes { id }"), true},
		{"standing count", `{ conversations(view: {kind: ALL}, first: 1) { totalCount } }`, false},
		{"count by time", total(`lastMessageFrom: "1990-01-01T00:00:00Z"`), false},
		{"counts by time, 4", "{" + counts.String() + "}", true},
		{"count by direction", total(`lastMessageDirection: INBOUND`), false},
		{"count of SENT", `{ conversations(view: {kind: SENT}, first: 1) { totalCount } }`, false},
		{"inboxes", `{ viewer { inboxes { nodes { id title counts { total unread new } } } } }`, false},
		{"messaging users", edge("messagingUser { id name }"), false},
		{"records", edge("record { id name }"), false},
		{"last messages", edge("lastMessage { id content { ... on TextContent { text } } }"), false},
		{"messages of 50 threads", edge("messages(last: 10) { nodes { id content { ... on TextContent { text } ... on NoteContent { text } } } }"), true},
		{"100 messages", `{ conversation(id: "` + conversation + `") { messages(last: 100) { nodes { id status content { ... on TextContent { text } } } } } }`, false},
		{"attempts", `{ conversation(id: "` + conversation + `") { messages(last: 100) { nodes { id attempts { status } } } } }`, false},
		{"sendability", edge("sendability { canSend }"), false},
		{"sendability of a draft of 8,000", `{ conversations(view: {kind: ALL}, first: 20) { nodes { sendability(draft: "` + draft + `") { canSend } } } }`, true},
		{"search, texts", `{ search(query: "the", first: 50) { nodes { kind message { id } conversation { id } } } }`, true},
		{"search, nothing", `{ search(query: "nonesuch", first: 50) { nodes { kind } } }`, false},
		{"bulk, dry run", bulk(`view: {kind: ALL}`), true},
		{"bulk by search, dry run", bulk(`search: "the"`), true},
	}
}

// prices measures what the unit of cost takes, field by field, and whether one
// agent's dearest documents hold up another's page.
func (s *settings) prices(ctx context.Context, r *report) error {
	if err := s.withApp(ctx, func(ctx context.Context, a *app.App) error { return s.units(ctx, r, a) }); err != nil {
		return err
	}
	a, err := s.open(ctx, s.Database, func(c *app.Config) {
		c.Server = func(o *server.Options) { o.Rate = -1 } // what is refused would hold up nobody
	})
	if err != nil {
		return err
	}
	return errors.Join(s.isolation(ctx, r, a), a.Close())
}

// units adds a line for each document: the processor's time for a unit of cost, and
// how many times the median of all that is. On PostgreSQL, which works in another
// process, it is the time that passes.
func (s *settings) units(ctx context.Context, r *report, a *app.App) error {
	ada, err := newCaller(a, "ada", 1)
	if err != nil {
		return err
	}
	conversation, err := thread(ctx, a, s.LongThread)
	if err != nil {
		return err
	}
	var lines []figure
	var each, costs []float64
	for _, d := range pricedDocuments(conversation) {
		cost, err := costOf(a, d.query)
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		once, err := ada.repeated(d.name, d.query, nil)
		if err != nil {
			return err
		}
		charged := price.NewContext(ctx, func(units int) { cost += float64(units) })
		if err := once.run(charged, 0); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		took, err := s.processor(ctx, once)
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		lines = append(lines, figure{Group: "a unit of cost", Name: d.name, Clients: 1, CPU: took})
		costs, each = append(costs, cost), append(each, took/cost)
	}
	middle := median(each)
	for i, f := range lines {
		f.Note = fmt.Sprintf("cost %.0f, %.1f µs a unit, %.1f times the median", costs[i], each[i], each[i]/middle)
		r.add(f)
	}
	return nil
}

// processor is how many µs a thing takes, the median of the rounds.
func (s *settings) processor(ctx context.Context, once contender) (float64, error) {
	var rounds []float64
	for range s.Rounds {
		busy, began, n := cpuTime(), time.Now(), 0
		for ; n == 0 || time.Since(began) < s.Round/10; n++ {
			if err := once.run(ctx, 0); err != nil {
				return 0, err
			}
		}
		took := cpuTime() - busy
		if address.IsPostgres(s.Database) {
			took = time.Since(began)
		}
		rounds = append(rounds, float64(took.Microseconds())/float64(n))
	}
	return median(rounds), nil
}

// costOf is what a request with the document is charged.
func costOf(a *app.App, query string) (float64, error) {
	schema := graph.NewExecutableSchema(graph.Config{Resolvers: &a.Schema}).Schema()
	doc, errs := gqlparser.LoadQueryWithRules(schema, query, rules.NewDefaultRules())
	if len(errs) > 0 {
		return 0, errs
	}
	op := doc.Operations[0]
	variables, err := validator.VariableValues(schema, op, nil)
	if err != nil {
		return 0, err
	}
	return float64(admission.Charged(limit.Options{Prices: resolvers.Prices}, doc, op, variables)), nil
}
