package importer_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/admin/importer"
	"parley/internal/check/parleytest"
)

func recordsFile(t testing.TB, content string) importer.Options {
	t.Helper()
	path := filepath.Join(t.TempDir(), "records.csv")
	require.NoError(t, os.WriteFile(path, []byte("ObjectType,ExternalId,Name,Mobile,LastModified\n"+content), 0o600))
	return importer.Options{Records: path}
}

const texts = `query($q: String!) { search(query: $q) { nodes { conversation { id name preview } message { id content { ... on TextContent { text } } } } } }`

// A file that spoilt texts is followed by the right one: it is refused, shown, and
// then mends them, where people look and where they search.
func TestTheRightFileMendsWhatTheWrongOneSpoilt(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	spoilt := incomingFile(t, incomingHeader+incomingRow(1, "an older one")+incomingRow(801, "Gr\ufffde aus M\ufffdnchen")+incomingRow(3, "Hello"))
	imported(t, p, spoilt)
	right := incomingFile(t, incomingHeader+incomingRow(1, "an older one")+incomingRow(801, "Grüße aus München")+incomingRow(3, "Hello"))
	ada := p.As("ada")
	found := ada.Do(texts, parleytest.Vars{"q": "aus"}).Get("search", "nodes", 0)
	stream := ada.Subscribe(`subscription($id: ID!) { conversationChanged(id: $id) { __typename ... on MessageChanged { message { id content { ... on TextContent { text } } } } } }`,
		parleytest.Vars{"id": found.Get("conversation", "id").String()})
	require.Equal(t, "Reset", stream.Next().Get("conversationChanged", "__typename").String())

	got := imported(t, p, right)
	require.Equal(t, &importer.Lines{Read: 4, Header: 1, Rows: 3, Present: 2, Refused: 1}, got.Lines["incoming"])
	require.Equal(t, 3, got.Refusals[0].Line)
	require.Contains(t, got.Refusals[0].Reason, "with another text; --repair replaces it")

	right.Repair = true
	want := importer.Repair{File: "incoming", Line: 3, ID: "801", Was: "Gr\ufffde aus M\ufffdnchen", Is: "Grüße aus München"}
	foretold, err := importer.DryRun(t.Context(), p.Store, right)
	require.NoError(t, err)
	require.Equal(t, []importer.Repair{want}, foretold.Repairs)
	require.Empty(t, ada.Do(texts, parleytest.Vars{"q": "grüße"}).Get("search", "nodes").List(), "nothing is written yet")

	got = imported(t, p, right)
	foretold.DryRun = false
	require.Equal(t, foretold, got)
	require.Equal(t, &importer.Lines{Read: 4, Header: 1, Rows: 3, Present: 2, Repaired: 1}, got.Lines["incoming"])
	frame := stream.Next().Get("conversationChanged")
	require.Equal(t, "MessageChanged", frame.Get("__typename").String())
	require.Equal(t, want.Is, frame.Get("message", "content", "text").String())
	mended := ada.Do(texts, parleytest.Vars{"q": "grüße münchen"}).Get("search", "nodes", 0)
	require.Equal(t, found.Get("message", "id"), mended.Get("message", "id"))
	require.Equal(t, want.Is, mended.Get("conversation", "preview").String())
	require.Equal(t, "+12125550201", mended.Get("conversation", "name").String())
	require.Len(t, ada.Do(texts, parleytest.Vars{"q": "Gr"}).Get("search", "nodes").List(), 1, "found once")
	healthy(t, p)
	require.Zero(t, imported(t, p, right).Repaired, "it is right now")
}

// Only texts are mended: a message of another time or customer is another message.
func TestTimesAndCustomersAreNotMended(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	imported(t, p, incomingFile(t, incomingHeader+"1,+12125550201,+12125550100,a,2026-08-18 10:00\n2,+12125550201,+12125550100,b,2026-08-18 10:00\n3,+12125550201,+12125550100,c,2026-08-18 10:00\n"))
	o := incomingFile(t, incomingHeader+"1,+12125550201,+12125550100,a,2026-08-18 11:00\n2,+12125550202,+12125550100,b,2026-08-18 10:00\n"+
		"3,+12125550201,+12125550199,c,2026-08-18 10:00\n")
	o.Repair = true
	got := imported(t, p, o)
	require.EqualValues(t, 3, got.Refused)
	require.Contains(t, got.Refusals[2].Reason, "on another sender ID")
	require.Contains(t, got.Refusals[0].Reason, "with another time (2026-08-18T10:00:00.000000Z); check --zone")
	require.Contains(t, got.Refusals[1].Reason, "from another customer (+12125550201)")
	healthy(t, p)
}

// A record's name is mended with the names that conversations have of it.
func TestNamesOfRecordsAreMended(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	path := filepath.Join(t.TempDir(), "outgoing.csv")
	require.NoError(t, os.WriteFile(path, []byte("Id,ToNumber,SenderId,Text,Status,SentAt,ObjectType,RecordId\n"+
		"1,+12125550201,+12125550100,Hello,Sent,2026-08-18,Contact,C-1\n2,+12125550202,+12125550100,Hello,Sent,2026-08-18,Contact,C-1\n"), 0o600))
	o := recordsFile(t, "Contact,C-1,J\ufffdrgen,+12125550201,2026-01-01\nContact,C-2,Ada,,\n")
	o.Outgoing = path
	imported(t, p, o)
	for _, c := range p.As("ada").Do(`{ conversations(view: {kind: ALL}) { nodes { messagingUser { id address } } } }`, nil).Get("conversations", "nodes").List() {
		if user := c.Get("messagingUser"); user.Get("address").String() == "+12125550202" {
			p.As("ada").Do(`mutation($id: ID!) { updateMessagingUser(input: {id: $id, name: "Jürg"}) { errors { message } } }`, parleytest.Vars{"id": user.Get("id").String()})
		}
	}
	right := recordsFile(t, "Contact,C-1,Jürgen,+12125550201,2026-01-01\nContact,C-2,Ada,,\n")
	got := imported(t, p, right)
	require.Contains(t, got.Refusals[0].Reason, "the record already exists with different content")
	require.Equal(t, &importer.Lines{Read: 3, Header: 1, Rows: 2, Present: 1, Refused: 1}, got.Lines["records"])
	right.Repair = true
	require.EqualValues(t, 1, imported(t, p, right).Repaired)
	require.Equal(t, "Jürgen", p.As("ada").Do(texts, parleytest.Vars{"q": "Jürgen"}).Get("search", "nodes", 0, "conversation", "name").String())
	require.Equal(t, []string{"Jürgen RECORD", "Jürg AGENT"}, parleytest.Rows(t, p.Store, `SELECT u.name || ' ' || u.name_source FROM messaging_users u WHERE address LIKE '+1212555020_' ORDER BY id`), "what an agent called them since stays")
	healthy(t, p)
}
