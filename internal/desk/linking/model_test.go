package linking_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/desk/crm"
	"parley/internal/desk/linking"
	"parley/internal/desk/match"
)

// The model says in the plainest way who is linked: after each change, conversations without
// an anchor that the change is about take the first record that the rules find.

var (
	modelTypes  = []string{"Farm__c", "Visit__c"}
	modelFields = []string{"Mobile", "Second"}
	spellings   = []string{"+1%s", "1%s", "%s", "(%.3[1]s) %[1]s"}
)

type modelRecord struct {
	kind, id string
	key      int // in the order in which they came
	number   map[string]string
	text     map[string]string // as it was written
	live     bool
	into     *modelRecord
	written  bool
}

func (r *modelRecord) root() *modelRecord {
	for r.into != nil {
		r = r.into
	}
	return r
}

type modelCustomer struct {
	number  string
	id      string // of the conversation; empty before the first message
	anchor  *modelRecord
	former  *modelRecord // which was deleted from under it
	last    int
	links   []*modelRecord        // by the type of each when it was linked, the newest last
	refused map[*modelRecord]bool // true if it was taken away
}

// held reports whether rules keep away: an agent has taken a record away.
func (c *modelCustomer) held() bool {
	return slices.Contains(slices.Collect(maps.Values(c.refused)), true)
}

// drop takes links to a record, and to what was merged into it, from a customer.
func (c *modelCustomer) drop(r *modelRecord) {
	c.links = slices.DeleteFunc(c.links, func(l *modelRecord) bool { return l.root() == r })
}

type modelWorld struct {
	*bundle
	rt        *rapid.T
	numbers   []string
	rules     []match.Rule
	records   []*modelRecord
	customers []*modelCustomer
	step      int
}

// link ties a customer to a record.
func (c *modelCustomer) link(r *modelRecord) {
	c.anchor = r
	c.links = append(slices.DeleteFunc(c.links, func(l *modelRecord) bool { return l.kind == r.kind }), r)
}

// found is the record that rules link a customer to, nil for none.
func (w *modelWorld) found(c *modelCustomer) *modelRecord {
	for _, rule := range w.rules {
		var best *modelRecord
		var bestBy [3]int
		for _, r := range w.records {
			place := slices.IndexFunc(modelFields, func(f string) bool {
				return r.number[f] == c.number && (len(rule.Fields) == 0 || slices.Contains(rule.Fields, f))
			})
			refused := slices.ContainsFunc(slices.Collect(maps.Keys(c.refused)), func(x *modelRecord) bool { return x == r || x.root() == r })
			met := rule.Condition == "" || r.number["Second"] == ""
			if !r.live || r.into != nil || r.kind != rule.ObjectType || place < 0 || refused || !met {
				continue
			}
			by := [3]int{-w.messaged(r), place, r.key}
			if best == nil || slices.Compare(by[:], bestBy[:]) < 0 {
				best, bestBy = r, by
			}
		}
		if best != nil {
			if rule.Mode == match.Automatic {
				return best
			}
			return nil
		}
	}
	return nil
}

// messaged is when a record was last messaged.
func (w *modelWorld) messaged(r *modelRecord) (last int) {
	for _, c := range w.customers {
		if c.anchor == r {
			last = max(last, c.last)
		}
	}
	return last
}

// settle has rules link customers that nobody is linked to.
func (w *modelWorld) settle(which ...*modelCustomer) {
	for _, c := range which {
		if c.id == "" || c.anchor != nil || c.held() {
			continue
		}
		if r := w.found(c); r != nil {
			c.link(r)
		}
	}
}

func (w *modelWorld) says() {
	c := rapid.SampledFrom(w.customers).Draw(w.rt, "customer")
	if c.anchor == nil && c.id == "" {
		c.id = "new"
	}
	w.settle(c) // before the message counts
	id := w.say("+1" + c.number)
	c.id, c.last = id, w.step
}

func (w *modelWorld) writes() {
	r := rapid.SampledFrom(w.records).Draw(w.rt, "record")
	field := rapid.SampledFrom(modelFields).Draw(w.rt, "field")
	number := rapid.SampledFrom(append([]string{""}, w.numbers...)).Draw(w.rt, "number")
	text := ""
	if number != "" {
		spelling := rapid.SampledFrom(spellings[:3]).Draw(w.rt, "spelling")
		text = fmt.Sprintf(spelling, number)
	}
	_, err := w.Schema.Records.Upsert(w.Context("ada"), []*crm.RecordInput{{ObjectType: r.kind, ExternalID: r.id, Fields: []*crm.FieldInput{{Name: field, Text: &text}}}})
	require.NoError(w.rt, err)
	if r.into != nil { // another has its place
		return
	}
	if !r.written {
		r.key, r.written = w.step, true
	}
	if !r.live {
		r.live, r.number, r.text = true, map[string]string{}, map[string]string{}
		for _, c := range w.customers {
			if c.anchor == nil && c.former == r {
				c.anchor, c.former = r, nil
			}
		}
	}
	changed := text != r.text[field]
	r.number[field], r.text[field] = number, text
	looks := func(rule match.Rule) bool {
		return rule.ObjectType == r.kind && rule.Mode == match.Automatic && changed && (text != "" || rule.Condition != "")
	}
	if !slices.ContainsFunc(w.rules, looks) {
		return // no rule looks again
	}
	w.settle(slices.DeleteFunc(slices.Clone(w.customers), func(c *modelCustomer) bool {
		return !slices.ContainsFunc(modelFields, func(f string) bool { return r.number[f] == c.number })
	})...)
}

func (w *modelWorld) deletes() {
	r := rapid.SampledFrom(w.records).Draw(w.rt, "record")
	if !r.live || r.into != nil {
		return
	}
	w.delete(r.kind, r.id)
	r.live, r.number = false, map[string]string{}
	for _, c := range w.customers {
		if c.anchor == r {
			c.anchor, c.former = nil, r
		}
	}
}

func (w *modelWorld) merges() {
	var visits []*modelRecord
	for _, r := range w.records {
		if r.kind == "Visit__c" && r.live && r.into == nil {
			visits = append(visits, r)
		}
	}
	if len(visits) < 2 {
		return
	}
	loser, winner := visits[0], visits[1]
	if rapid.Bool().Draw(w.rt, "the other way") {
		loser, winner = winner, loser
	}
	w.merge(loser.id, winner.id)
	loser.into, loser.number = winner, map[string]string{}
	for _, c := range w.customers {
		if c.anchor == loser {
			c.anchor = winner
		}
		if c.former == loser {
			c.former = winner
		}
	}
}

func (w *modelWorld) chooses() {
	c, r := rapid.SampledFrom(w.customers).Draw(w.rt, "customer"), rapid.SampledFrom(w.records).Draw(w.rt, "record")
	if c.id == "" || !r.live || r.into != nil || c.anchor == r {
		return
	}
	_, err := w.Schema.Linking.Link(w.Context("ada"), linking.Input{ConversationID: c.id, RecordID: w.record(r.kind, r.id)})
	require.NoError(w.rt, err)
	maps.DeleteFunc(c.refused, func(x *modelRecord, _ bool) bool { return x == r || x.root() == r })
	c.link(r)
}

func (w *modelWorld) unlinks() {
	c := rapid.SampledFrom(w.customers).Draw(w.rt, "customer")
	if c.id == "" || c.anchor == nil {
		return
	}
	_, err := w.Schema.Linking.Unlink(w.Context("ada"), c.id)
	require.NoError(w.rt, err)
	was := c.anchor
	c.refused[was], c.anchor = true, nil
	c.drop(was)
	c.links = slices.DeleteFunc(c.links, func(l *modelRecord) bool { return l.kind == was.kind })
	for _, l := range c.links {
		if l.root().live {
			c.anchor = l.root()
		}
	}
}

func (w *modelWorld) rejects() {
	c, r := rapid.SampledFrom(w.customers).Draw(w.rt, "customer"), rapid.SampledFrom(w.records).Draw(w.rt, "record")
	if c.id == "" || !r.live || r.into != nil || c.anchor == r {
		return
	}
	_, err := w.Schema.Linking.Reject(w.Context("ada"), linking.Input{ConversationID: c.id, RecordID: w.record(r.kind, r.id)})
	require.NoError(w.rt, err)
	if _, known := c.refused[r]; !known {
		c.refused[r] = false
	}
	c.drop(r)
}

func (w *modelWorld) check(did string) {
	w.Clock.Advance(time.Second)
	require.NoError(w.rt, w.Schema.Linking.WorkOff(w.System()))
	for _, c := range w.customers {
		if c.id == "" {
			continue
		}
		want := ""
		if c.anchor != nil {
			want = c.anchor.id
		}
		require.Equal(w.rt, want, w.anchor(c.id), "%s after step %d, %s", c.number, w.step, did)
	}
}

// Rules, records, messages and changes in any order: who is linked is what the model says.
func TestLinksAreThoseOfAPlainModel(t *testing.T) {
	t.Parallel()
	b, worlds := setup(t), 0
	rapid.Check(t, func(rt *rapid.T) {
		worlds++ // each has numbers, records and rules of its own
		w := &modelWorld{bundle: b, rt: rt}
		for i := range rapid.IntRange(1, 3).Draw(rt, "rules") {
			r := match.Rule{
				Active: true, Order: i, ObjectType: rapid.SampledFrom(modelTypes).Draw(rt, "type"), Mode: rapid.SampledFrom([]match.Mode{match.Automatic, match.Automatic, match.Suggested}).Draw(rt, "mode"),
				Timing: rapid.SampledFrom([]match.Timing{match.During, match.After}).Draw(rt, "timing"), Fields: rapid.SampledFrom([][]string{{}, {"Mobile"}, {"Second"}}).Draw(rt, "fields"),
				Condition: rapid.SampledFrom([]string{"", "ISBLANK(Second)"}).Draw(rt, "condition"),
			}
			w.rules = append(w.rules, r)
			id := b.rule(vars{"order": i, "objectType": r.ObjectType, "mode": r.Mode, "timing": r.Timing, "matchFields": r.Fields, "condition": r.Condition})
			defer func() { b.ok("deleteLinkingRule", "DeleteLinkingRuleInput", vars{"id": id}) }()
		}
		for i := range 4 {
			w.records = append(w.records, &modelRecord{kind: modelTypes[i%2], id: fmt.Sprintf("R%d-%d", worlds, i), number: map[string]string{}})
		}
		for i := range 3 {
			n := fmt.Sprintf("20255%05d", 10_000+3*worlds+i)
			w.numbers, w.customers = append(w.numbers, n), append(w.customers, &modelCustomer{number: n, refused: map[*modelRecord]bool{}})
		}
		steps := map[string]func(){"says": w.says, "writes": w.writes, "deletes": w.deletes, "merges": w.merges, "chooses": w.chooses, "unlinks": w.unlinks, "rejects": w.rejects}
		names := []string{"says", "says", "writes", "writes", "writes", "deletes", "merges", "chooses", "unlinks", "rejects"}
		for range rapid.IntRange(3, 25).Draw(rt, "steps") {
			w.step++
			did := rapid.SampledFrom(names).Draw(rt, "step")
			steps[did]()
			w.check(did)
		}
	})
}
