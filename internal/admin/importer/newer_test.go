package importer_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/admin/importer"
	"parley/internal/check/parleytest"
	"parley/internal/desk/crm"
	"parley/internal/ground/clock"
)

const followed = `query($id: ID!) { conversation(id: $id) { id name objectType record { externalId } sendability { refusals { code } } } }`

// newer is a file of records with all columns.
func newer(t testing.TB, row string) importer.Options {
	t.Helper()
	path := filepath.Join(t.TempDir(), "newer.csv")
	require.NoError(t, os.WriteFile(path, []byte("ObjectType,ExternalId,Name,Mobile,OptOut,LastModified\n"+row+"\n"), 0o600))
	return importer.Options{Records: path}
}

// A newer export of a record moves what conversations hold of it, as a change of the CRM
// does: names, search, opt-outs and the anchor of a record that was deleted.
func TestConversationsFollowANewerExport(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	path := filepath.Join(t.TempDir(), "outgoing.csv")
	require.NoError(t, os.WriteFile(path, []byte("Id,ToNumber,SenderId,Text,Status,SentAt,ObjectType,RecordId\n"+
		"1,+12125550201,+12125550100,Hello,Sent,2026-08-18,Contact,C-1\n"), 0o600))
	o := newer(t, "Contact,C-1,Kim,+12125550201,,2026-01-01")
	o.Outgoing = path
	imported(t, p, o)
	ada := p.As("ada")
	found := func(name string) int {
		return len(ada.Do(texts, parleytest.Vars{"q": name}).Get("search", "nodes").List())
	}
	id := ada.Do(texts, parleytest.Vars{"q": "Kim"}).Get("search", "nodes", 0, "conversation", "id").String()
	look := func() parleytest.Tree { return ada.Do(followed, parleytest.Vars{"id": id}).Get("conversation") }
	optedOut := func() bool {
		for _, r := range look().Get("sendability", "refusals").List() {
			if r.Get("code").String() == "OPTED_OUT" {
				return true
			}
		}
		return false
	}
	stream := ada.Subscribe(`subscription { conversationsChanged(view: {kind: ALL}) { kind conversationId conversation { name } } }`, nil)
	require.Equal(t, "OPEN", stream.Next().Get("conversationsChanged", "kind").String())

	imported(t, p, newer(t, "Contact,C-1,Zoltan Weber,,true,2026-01-02"))
	require.Equal(t, "Zoltan Weber", look().Get("name").String())
	require.True(t, optedOut())
	p.Eventually(func() bool {
		e := stream.Next().Get("conversationsChanged")
		return e.Get("conversationId").String() == id && e.Get("conversation", "name").String() == "Zoltan Weber"
	}, "open views follow")
	p.Eventually(func() bool { return found("Zoltan") == 1 && found("Kim") == 0 }, "search follows")
	require.Equal(t, []string{"+12125550201"}, parleytest.Rows(t, p.Store, `SELECT mobile_number FROM records WHERE external_id = 'C-1'`), "an empty column says nothing")
	require.Equal(t, []string{"12125550201"}, parleytest.Rows(t, p.Store, `SELECT number FROM record_phones`), "linking finds it at once")

	imported(t, p, newer(t, "Contact,C-1,,,,2026-01-03"))
	require.True(t, optedOut(), "nobody said otherwise")
	imported(t, p, newer(t, "Contact,C-1,,,false,2026-01-04"))
	require.False(t, optedOut())

	gone := clock.Of(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC))
	_, err := p.Schema.Records.Delete(p.Context("ada"), []*crm.DeletionInput{{ObjectType: "Contact", ExternalID: "C-1", DeletedAt: &gone}})
	require.NoError(t, err)
	require.True(t, look().Get("record").IsNull())
	imported(t, p, newer(t, "Contact,C-1,Zoltan,,,2026-01-06"))
	require.Equal(t, "C-1", look().Get("record", "externalId").String(), "the record is back")
	require.Equal(t, "Zoltan", look().Get("name").String())
	require.Empty(t, parleytest.Rows(t, p.Store, `SELECT * FROM former_anchors`))
	healthy(t, p)
}
