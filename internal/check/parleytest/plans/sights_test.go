package plans

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// big are the tables that grow with the organisation's traffic.
var big = []string{
	"conversations", "messages", "events", "attempts", "messaging_users", "records", "participants", "raw_inbounds",
	"idempotency_keys", "lookups", "search_texts_2", "search_places_2", "search_people_2",
}

// excused is what a plan does that no plan may, where it is right.
type excused struct {
	on    string // the database; both when empty
	text  string // in the statement
	fault string // in the fault
	why   string
}

// requireBounded fails for every plan that looks at the whole of a big table or
// sorts what has no bound, and for an excuse that nothing needs.
func requireBounded(t *testing.T, d *database, sections []*section) {
	t.Helper()
	on, faults := "SQLite", faultsOfSQLite
	if d.major > 0 {
		on, faults = "PostgreSQL", faultsOfPostgres
	}
	used := map[int]bool{}
	for _, s := range sections {
		for _, st := range s.statements {
			for _, fault := range faults(st) {
				i := slices.IndexFunc(excuses, func(e excused) bool {
					return (e.on == "" || e.on == on) && strings.Contains(alike(st.text), e.text) && strings.Contains(fault, e.fault)
				})
				used[i] = true
				assert.GreaterOrEqual(t, i, 0, "%s: %s\n%s\n%s", s.name, fault, brief(st.text), strings.Join(st.plan, "\n"))
			}
		}
	}
	for i, e := range excuses {
		assert.True(t, used[i] || e.on != "" && e.on != on, "nothing needs the excuse for %q in %q (%s)", e.fault, e.text, e.why)
	}
}

// node is a step of a plan.
type node struct {
	words   string
	more    []string // PostgreSQL's lines about it
	depth   int
	parent  *node
	beneath []*node
}

// tree reads a plan's lines by how deep they stand, and gives its nodes in their
// order.
func tree(plan []string, isNode func(line string) bool) (nodes []*node) {
	root := &node{depth: -1}
	last := root
	for i, line := range plan {
		depth := len(line) - len(strings.TrimLeft(line, " "))
		if i > 0 && !isNode(line) {
			last.more = append(last.more, strings.TrimSpace(line))
			continue
		}
		parent := last
		for parent.depth >= depth {
			parent = parent.parent
		}
		last = &node{words: strings.TrimPrefix(strings.TrimSpace(line), "->  "), depth: depth, parent: parent}
		parent.beneath = append(parent.beneath, last)
		nodes = append(nodes, last)
	}
	return nodes
}

// any reports whether ok holds for a node or one beneath it, but for those
// beneath what hidden names.
func (n *node) any(ok, hidden func(*node) bool) bool {
	if ok(n) {
		return true
	}
	return !hidden(n) && slices.ContainsFunc(n.beneath, func(b *node) bool { return b.any(ok, hidden) })
}

func never(*node) bool { return false }

var (
	access = regexp.MustCompile(`^(SCAN|SEARCH) (\S+)(.*)$`)
	called = regexp.MustCompile("[`\"]?(\\w+)[`\"]? AS [`\"]?(\\w+)")
)

// faultsOfSQLite are scans that no order and limit ends, and sorts of rows of big
// tables.
func faultsOfSQLite(s *statement) (faults []string) {
	real := map[string]string{} // tables by the names they have in the statement
	for _, m := range called.FindAllStringSubmatch(s.text, -1) {
		real[m[2]] = m[1]
	}
	table := func(n *node) (name, way string) {
		m := access.FindStringSubmatch(n.words)
		if m == nil || strings.Contains(m[3], "VIRTUAL TABLE") {
			return "", ""
		}
		name = m[2]
		if r := real[name]; r != "" {
			name = r
		}
		if !slices.Contains(big, name) {
			return "", ""
		}
		return name, m[1]
	}
	isBig := func(n *node) bool { name, _ := table(n); return name != "" }
	for _, n := range tree(s.plan, func(string) bool { return true }) {
		sorts := strings.HasPrefix(n.words, "USE TEMP B-TREE FOR")
		if sorts && n.parent.any(isBig, never) {
			faults = append(faults, n.parent.words+": "+n.words)
		}
		inOrder := strings.Contains(n.words, " USING ") && strings.Contains(s.text, "LIMIT")
		if name, way := table(n); way == "SCAN" && !inOrder {
			faults = append(faults, "SCAN of "+name+strings.TrimPrefix(n.words, access.FindStringSubmatch(n.words)[0]))
		}
	}
	return faults
}

var scanned = regexp.MustCompile(`^(Seq|Index|Index Only|Bitmap Heap) Scan.* on (\w+)`)

// faultsOfPostgres are sequential scans, walks along a whole index that no limit
// ends, and sorts of rows of big tables.
func faultsOfPostgres(s *statement) (faults []string) {
	table := func(n *node) string {
		if m := scanned.FindStringSubmatch(n.words); m != nil && slices.Contains(big, m[2]) {
			return m[2]
		}
		return ""
	}
	isBig := func(n *node) bool { return table(n) != "" }
	isLimit := func(n *node) bool { return n.words == "Limit" }
	for _, n := range tree(s.plan, func(line string) bool { return strings.Contains(line, "->  ") }) {
		name := table(n)
		switch {
		case name != "" && strings.HasPrefix(n.words, "Seq"):
			faults = append(faults, "Seq Scan on "+name)
		case name != "" && strings.HasPrefix(n.words, "Index") && !n.conditional() && !n.stopped():
			faults = append(faults, n.words)
		case strings.HasSuffix(n.words, "Sort") && n.any(isBig, isLimit):
			faults = append(faults, n.words)
		}
	}
	return faults
}

// conditional reports whether an index is asked for a part of it.
func (n *node) conditional() bool {
	return slices.ContainsFunc(n.more, func(line string) bool { return strings.HasPrefix(line, "Index Cond") })
}

// stopped reports whether a limit ends what reads n in order.
func (n *node) stopped() bool {
	for n = n.parent; n != nil; n = n.parent {
		switch {
		case n.words == "Limit":
			return true
		case strings.Contains(n.words, "Sort"), strings.Contains(n.words, "Aggregate"), strings.Contains(n.words, "Hash"):
			return false
		}
	}
	return false
}

// excuses are all there are. Sorts are of rows that something else bounds, and
// the retention takes as much at once as it says.
var excuses = []excused{
	{"SQLite", "AS merged", "LEFT: USE TEMP B-TREE FOR ORDER BY", "the tops of a page's parts, each of a page at most, before they are merged"},
	{"SQLite", "AS merged", "RIGHT: USE TEMP B-TREE FOR ORDER BY", "the same of the other part"},
	{"SQLite", "AS merged", "CO-ROUTINE places: USE TEMP B-TREE FOR ORDER BY", "the tops, merged"},
	{"", "WITH r(conversation_id, first, last)", "", "at most 101 messages of each conversation of a page, by number"},
	{"PostgreSQL", "FROM search_texts_2 WHERE tokens @@", "Sort", "what one look into the index found in the buckets asked for; the index holds no order"},
	{"SQLite", "FROM `events` ORDER BY `id`", "SCAN of events", "LIMIT 1, in the order of the key"},
	{"SQLite", "IN (SELECT `id` FROM `raw_inbounds` ORDER BY `id` LIMIT 5000)", "SCAN of raw_inbounds", "a batch, in the order of the key"},
	{"PostgreSQL", `DELETE FROM "raw_inbounds"`, "Seq Scan on raw_inbounds", "a batch, taken by a job now and then; reading all is cheaper than 5,000 keys until there are some hundred thousand"},
	{"PostgreSQL", `DELETE FROM "idempotency_keys"`, "Seq Scan on idempotency_keys", "a batch, the same with 10,000 keys"},
	{"", "length(payload) FROM", "", "every FAILED entry, which hold 256 MB at most together"},
	{"SQLite", "`slot` + 0 = ?", "USE TEMP B-TREE FOR ORDER BY", "what a filter finds, to which nobody has to look along all records"},
	{"PostgreSQL", `"slot" + 0 = ?`, "Sort", "the same"},
	{"PostgreSQL", `WHERE "a"."conversation_id" = ?`, "Sort", "what is queued in one conversation"},
	{"PostgreSQL", `WHERE "a"."id" = ?`, "Sort", "one attempt"},
	{"PostgreSQL", "AND state = 'PENDING' ORDER BY", "Sort", "the receipts that wait for one message"},
	{
		"PostgreSQL", `FROM "participants" AS "s" JOIN "conversations"`, "Seq Scan on conversations",
		"counts all that an agent sent in, which is a tenth of this table; of a larger one they are found by key",
	},
}
