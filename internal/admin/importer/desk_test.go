package importer_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/admin/importer"
	"parley/internal/check/parleytest"
)

const threadQuery = `query ($view: ConversationView!) { conversations(view: $view, first: 10) { nodes {
	name mobileNumber preview isUnread newCount lastMessageDirection objectType owner { username }
	record { objectType externalId name conversations { nodes { mobileNumber } } }
	messages(last: 20) { nodes { number content { ... on TextContent { text } } status direction author { username } } }
} } }`

func TestTheDeskShowsWhatWasImported(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	imported(t, p, export())
	ada := p.As("ada")
	all := ada.Do(threadQuery, parleytest.Vars{"view": parleytest.Vars{"kind": "ALL"}}).Get("conversations", "nodes").List()
	var previews []string
	for _, c := range all {
		previews = append(previews, c.Get("preview").String())
	}
	require.Equal(t, []string{"For the front 🚲", "WBK 4410", "Hello from the workshop", "We close at six.", "Is Thursday fine for the repair?"}, previews,
		"newest first")
	nora := all[3]
	require.Equal(t, "O'Neil, Nora", nora.Get("name").String())
	require.Equal(t, "+12125550101", nora.Get("mobileNumber").String())
	require.True(t, nora.Get("isUnread").Bool(), "imported inbound is unread, whatever was answered")
	require.Equal(t, 2, nora.Get("newCount").Int())
	require.Equal(t, "kim", nora.Get("owner", "username").String(), "who sent last on a shared sender ID")
	require.Equal(t, "C-1", nora.Get("record", "externalId").String())
	require.Equal(t, "+12125550101", nora.Get("record", "conversations", "nodes", 0, "mobileNumber").String())
	for i, want := range []string{"Is it here yet?", "Good morning, the bell for your bike\ncame in \"today\".", "Great; what time do you close?", "We close at six."} {
		require.Equal(t, want, nora.Get("messages", "nodes", i, "content", "text").String())
	}
	require.Equal(t, "UNKNOWN", all[4].Get("messages", "nodes", 0, "status").String(), "a QUEUED one")

	sent := p.As("amy").Do(threadQuery, parleytest.Vars{"view": parleytest.Vars{"kind": "SENT"}}).Get("conversations", "nodes").List()
	require.Len(t, sent, 1)
	require.Equal(t, "+12125550101", sent[0].Get("mobileNumber").String())

	directory := ada.Do(`{ agents { username isLicensed isActive } channels { address isActive type } }`, nil)
	for _, a := range directory.Get("agents").List() {
		require.Equal(t, a.Get("username").String() != "kim", a.Get("isLicensed").Bool(), a.Get("username").String())
	}
	for _, c := range directory.Get("channels").List() {
		require.Equal(t, c.Get("address").String() != "55512", c.Get("isActive").Bool(), c.Get("address").String())
	}
	counts := ada.Do(`{ viewer { inboxes { nodes { title counts { total unread new } } } } }`, nil).Get("viewer", "inboxes", "nodes").List()
	seen := map[string][3]int{}
	for _, in := range counts {
		c := in.Get("counts")
		seen[in.Get("title").String()] = [3]int{c.Get("total").Int(), c.Get("unread").Int(), c.Get("new").Int()}
	}
	require.Equal(t, [3]int{2, 1, 2}, seen["Contact"])
	require.Equal(t, [3]int{2, 1, 2}, seen["Sales"])
	require.Equal(t, [3]int{1, 1, 2}, seen["Amy direct"])
}

// What was imported is found at once, by name, number and text.
func TestSearchFindsWhatWasImported(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	imported(t, p, export())
	for query, number := range map[string]string{
		"oneil": "+12125550101", "zak luk": "+12125550102", "dang": "+12125550103", "0107": "+12125550107",
		"(212) 555-0104": "+12125550104", "bell bike": "+12125550101", "wbk 44": "+12125550103", "lights": "+12125550107",
	} {
		found := p.As("ada").Do(`query ($query: String!) { search(query: $query) { isComplete nodes { conversation { mobileNumber } } } }`,
			parleytest.Vars{"query": query}).Get("search")
		require.True(t, found.Get("isComplete").Bool(), query)
		require.Len(t, found.Get("nodes").List(), 1, query)
		require.Equal(t, number, found.Get("nodes", 0, "conversation", "mobileNumber").String(), query)
	}
}

func TestInboundComesInReadWhenAskedTo(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	o := export()
	o.MarkRead = true
	imported(t, p, o)
	require.Empty(t, parleytest.Rows(t, p.Store, `SELECT id FROM conversations WHERE is_unread OR read_count <> inbound_count`))
	healthy(t, p)
}

// A customer who writes here already keeps their conversation, and what lists show
// of it stays the newest.
func TestAnImportGoesOnWithConversationsThatAreThere(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	p.Say("+12125550101", parleytest.Sales, "Are you open today?")
	amy := p.As("amy")
	before := amy.Do(threadQuery, parleytest.Vars{"view": parleytest.Vars{"kind": "ALL"}}).Get("conversations", "nodes", 0)
	stream := amy.Subscribe(`subscription { conversationsChanged(view: {kind: ALL}) { kind conversation { mobileNumber newCount messageCount } counts { total unread new } } }`, nil)
	require.Equal(t, "OPEN", stream.Next().Get("conversationsChanged", "kind").String())

	other := parleytest.OpenAt(t, p.Config.Database) // as the command does, from a process of its own
	imported(t, other, export())
	healthy(t, p)

	after := amy.Do(threadQuery, parleytest.Vars{"view": parleytest.Vars{"kind": "SENDER_ID", "subject": channelID(t, p, parleytest.Sales)}}).
		Get("conversations", "nodes").List()
	require.Len(t, after, 2)
	nora := after[0]
	require.Equal(t, "Are you open today?", nora.Get("preview").String(), "it is the newest")
	require.True(t, before.Get("owner").IsNull() && nora.Get("owner").IsNull(), "what was sent long ago moves no owner")
	require.Equal(t, "C-1", nora.Get("record", "externalId").String())
	require.Equal(t, 1, nora.Get("newCount").Int(), "what is older is not new")
	for i, m := range nora.Get("messages", "nodes").List() {
		require.Equal(t, i-3, m.Get("number").Int())
	}
	require.Equal(t, "Is it here yet?", nora.Get("messages", "nodes", 0, "content", "text").String())

	kinds := map[string]string{}
	var last parleytest.Tree
	for range 3 {
		last = stream.Next().Get("conversationsChanged")
		kinds[last.Get("conversation", "mobileNumber").String()] = last.Get("kind").String()
	}
	require.Equal(t, map[string]string{"+12125550101": "UPDATE", "+12125550102": "ENTER", "+12125550107": "ENTER"}, kinds)
	require.Equal(t, parleytest.Rows(t, p.Store, `SELECT COUNT(*), SUM(CASE WHEN is_unread THEN 1 ELSE 0 END), SUM(inbound_count - read_count) FROM conversations c
		JOIN channels h ON h.id = c.channel_id WHERE h.address <> '55512'`)[0],
		last.Get("counts", "total").String()+"|"+last.Get("counts", "unread").String()+"|"+last.Get("counts", "new").String())
	p.Say("+12125550102", parleytest.Sales, "Thursday is fine")
	require.Equal(t, "2", parleytest.Rows(t, p.Store, `SELECT last_seq FROM conversations WHERE address = '+12125550102'`)[0])
}

func channelID(t testing.TB, p *parleytest.Parley, address string) string {
	t.Helper()
	for _, c := range p.Directory.Channels() {
		if c.Address == address {
			return c.ID
		}
	}
	require.Fail(t, "no such channel", address)
	return ""
}

func TestASplitConversationIsTheSame(t *testing.T) {
	t.Parallel()
	whole, parts := parleytest.New(t), parleytest.New(t)
	imported(t, whole, export())
	imported(t, parts, importer.InBatches(export(), 1))
	require.Equal(t, listing(t, whole.Store), listing(t, parts.Store))
	healthy(t, parts)
}

// Each table can come by itself, and in any order.
func TestTheFilesMayComeOneByOne(t *testing.T) {
	t.Parallel()
	whole, parts := parleytest.New(t), parleytest.New(t)
	imported(t, whole, export())
	o := export()
	for _, one := range []importer.Options{{Records: o.Records}, {Incoming: o.Incoming}, {Outgoing: o.Outgoing}} {
		one.Region = "US"
		imported(t, parts, one)
		healthy(t, parts)
	}
	count := `SELECT address, last_seq - first_seq, inbound_count, last_message_at, preview FROM conversations ORDER BY channel_id, address`
	require.Equal(t, parleytest.Rows(t, whole.Store, count), parleytest.Rows(t, parts.Store, count))
	o.Records, o.Outgoing, o.Region = "", "", "US"
	require.EqualValues(t, 1, imported(t, parts, o).InboundOnly, "the outgoing ones are there")
}

func TestUnknownSenderIDsGoIntoTheAccountNamed(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	o := export()
	o.Account = "demo"
	imported(t, p, o)
	require.Equal(t, []string{"demo"}, parleytest.Rows(t, p.Store, `SELECT p.key FROM channels c JOIN provider_accounts p ON p.id = c.provider_account_id
		WHERE c.address = '55512' AND NOT c.active`))
}

func TestWhatCannotBeImportedIsToldInPlainWords(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	for want, o := range map[string]importer.Options{
		"give at least one of":                 {},
		"no such file":                         {Records: "testdata/none.csv"},
		"the column ToNumber is missing":       {Outgoing: filepath.Join("testdata", "incoming.csv")},
		`there is no provider account with`:    {Records: "testdata/records.csv", Account: "nobody"},
		"give two letters":                     {Records: "testdata/records.csv", Region: "Utopia"},
		"is not 1 to 64 lower-case letters":    {Records: "testdata/records.csv", Source: "The Old Desk"},
		"name a folder with enough space for ": {Records: "testdata/records.csv", Staging: "testdata/none"},
	} {
		_, err := importing(p).Run(t.Context(), o)
		require.ErrorContains(t, err, want)
	}
}

// A desk that serves already gets its history: it stands before what is newer, what
// is unread and new stays so, and open threads are told to read anew.
func TestHistoryStandsBeforeWhatIsNewer(t *testing.T) {
	t.Parallel()
	const customer = "+12125550209"
	p := parleytest.New(t).Run()
	p.Say(customer, parleytest.Sales, "live, first")
	p.Say(customer, parleytest.Sales, "live, second")
	ada := p.As("ada")
	thread := `query($view: ConversationView!, $n: Int, $before: String, $m: Int, $after: String) { conversations(view: $view, first: 1) { nodes {
		id isUnread newCount messageCount lastIncomingAt preview messages(last: $n, before: $before, first: $m, after: $after) {
			totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { id number content { ... on TextContent { text } } } } } } }`
	read := func(v parleytest.Vars) parleytest.Tree {
		v["view"] = parleytest.Vars{"kind": "ALL"}
		return ada.Do(thread, v).Get("conversations", "nodes", 0)
	}
	before := read(parleytest.Vars{"n": 20})
	id := before.Get("id").String()
	stream := ada.Subscribe(`subscription($id: ID!) { conversationChanged(id: $id) { __typename ... on Reset { kind conversation { messageCount } }
		... on ConversationUpdated { cause } } }`, parleytest.Vars{"id": id})
	require.Equal(t, "OPEN", stream.Next().Get("conversationChanged", "kind").String())

	history := func(ids ...int) string {
		content := incomingHeader
		for _, i := range ids {
			content += fmt.Sprintf("%d,%s,%s,history %d,2026-08-%02d\n", i, customer, parleytest.Sales, i, i)
		}
		return content
	}
	require.EqualValues(t, 3, imported(t, p, importer.InBatches(incomingFile(t, history(12, 14, 13)), 1)).Incoming, "a conversation may be split")
	healthy(t, p)
	after := read(parleytest.Vars{"n": 20})
	require.Equal(t, []string{"-2 history 12", "-1 history 13", "0 history 14", "1 live, first", "2 live, second"}, numbered(after))
	for _, same := range []string{"isUnread", "newCount", "lastIncomingAt", "preview"} {
		require.Equal(t, before.Get(same), after.Get(same), same)
	}
	require.Equal(t, 5, after.Get("messageCount").Int())
	require.Equal(t, 5, after.Get("messages", "totalCount").Int())
	for range 2 { // the batches hold two of them at most
		frame := stream.Next().Get("conversationChanged")
		require.Equal(t, "Reset", frame.Get("__typename").String())
		require.Equal(t, "RESET", frame.Get("kind").String())
	}

	// Older still, some between, and all of it again.
	again := imported(t, p, incomingFile(t, history(12, 13, 14, 15, 10, 11)))
	require.EqualValues(t, 3, again.Incoming)
	require.EqualValues(t, 3, again.Present.Incoming)
	require.EqualValues(t, 1, again.Late, "the one between is counted")
	healthy(t, p)
	whole := []string{"-4 history 10", "-3 history 11", "-2 history 12", "-1 history 13", "0 history 14", "1 live, first", "2 live, second", "3 history 15"}
	require.Equal(t, whole, numbered(read(parleytest.Vars{"n": 20})))

	// It is paged both ways, from and to its ends.
	var up, down []string
	for page := read(parleytest.Vars{"n": 3}); ; page = read(parleytest.Vars{"n": 3, "before": page.Get("messages", "pageInfo", "startCursor").String()}) {
		up = append(numbered(page), up...)
		if !page.Get("messages", "pageInfo", "hasPreviousPage").Bool() {
			break
		}
	}
	for page := read(parleytest.Vars{"m": 3}); ; page = read(parleytest.Vars{"m": 3, "after": page.Get("messages", "pageInfo", "endCursor").String()}) {
		down = append(down, numbered(page)...)
		if !page.Get("messages", "pageInfo", "hasNextPage").Bool() {
			break
		}
	}
	require.Equal(t, whole, up)
	require.Equal(t, whole, down)

	// Reading up to a message of the past reads nothing that is new.
	oldest := read(parleytest.Vars{"m": 1}).Get("messages", "nodes", 0, "id").String()
	ada.Do(`mutation($id: ID!, $m: ID!) { markConversationsRead(input: {conversations: [{id: $id, upToMessageId: $m}], confirmForOwner: true}) { results { error { code } } } }`,
		parleytest.Vars{"id": id, "m": oldest})
	require.Equal(t, 3, read(parleytest.Vars{"n": 1}).Get("newCount").Int())
}

// numbered are the messages of a thread, with their numbers.
func numbered(thread parleytest.Tree) (out []string) {
	for _, m := range thread.Get("messages", "nodes").List() {
		out = append(out, fmt.Sprint(m.Get("number").Int(), " ", m.Get("content", "text").String()))
	}
	return out
}

// thread are the numbers and texts of the one conversation there is.
func thread(t testing.TB, p *parleytest.Parley) []string {
	t.Helper()
	return parleytest.Rows(t, p.Store, "SELECT seq, text FROM messages ORDER BY seq")
}

// Exports with bare dates have many messages of one time. Broken off between two of
// them, an import goes on in front where it was.
func TestMessagesOfOneTimeKeepTheirOrderInFront(t *testing.T) {
	t.Parallel()
	const messages = 8
	file := incomingHeader
	var want []string
	for i := range messages {
		file += fmt.Sprintf("%d,+12125550201,%s,old %d,2026-08-18\n", i, parleytest.Sales, i)
		want = append(want, fmt.Sprintf("%d|old %d", i-messages+1, i))
	}
	want = append(want, "1|live")
	broken := 0
	for stop := int64(20); stop < 100; stop += 10 {
		var left atomic.Int64
		var cancel atomic.Pointer[context.CancelFunc]
		p := parleytest.New(t, func(c *app.Config) {
			c.Trace = func(context.Context, string) func(error) {
				if stop := cancel.Load(); stop != nil && left.Add(-1) == 0 {
					(*stop)()
				}
				return nil
			}
		})
		p.Say("+12125550201", parleytest.Sales, "live")
		o := importer.InBatches(incomingFile(t, file), 1)
		o.Staging = t.TempDir()
		ctx, end := context.WithCancel(t.Context())
		left.Store(stop)
		cancel.Store(&end)
		if _, err := importing(p).Run(ctx, o); err != nil && len(thread(t, p)) > 1 {
			broken++
		}
		end()
		cancel.Store(nil)
		require.Zero(t, imported(t, p, o).Late)
		require.Equal(t, want, thread(t, p), stop)
		healthy(t, p)
	}
	require.Positive(t, broken, "some were broken off in the middle")
}

// Who writes for the first time while the files are sorted out has their past in
// front all the same.
func TestHistoryStandsBeforeWhatCameMeanwhile(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	o := incomingFile(t, incomingHeader+"1,+12125550201,"+parleytest.Sales+",old 1,2026-08-18\n2,+12125550201,"+parleytest.Sales+",old 2,2026-08-19\n")
	o.Records = recordsFile(t, "Contact,C-1,X,,2026-01-01\n").Records
	said := false
	o.Progress = progressed(func() {
		if !said && len(parleytest.Rows(t, p.Store, "SELECT id FROM records")) > 0 { // records go in before messages
			said = true
			p.Say("+12125550201", parleytest.Sales, "live")
		}
	})
	imported(t, p, o)
	require.True(t, said)
	require.Equal(t, []string{"-1|old 1", "0|old 2", "1|live"}, thread(t, p))
	require.Equal(t, []string{"1|0"}, parleytest.Rows(t, p.Store, "SELECT inbound_count, read_count FROM conversations"))
	healthy(t, p)
}

// progressed is called with each report of progress.
type progressed func()

// Write implements io.Writer.
func (p progressed) Write(b []byte) (int, error) { p(); return len(b), nil }
