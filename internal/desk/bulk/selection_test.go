package bulk_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/bulk"
	"parley/internal/desk/conversation"
	"parley/internal/ground/fault"
)

func TestWhatASearchFinds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 9 {
		b.Say(customer(i), []string{parleytest.Sales, parleytest.Support}[i%2], []string{"Where is my parcel?", "Thank you"}[i%3/2])
	}
	b.Say(customer(0), parleytest.Sales, "The parcel, again")
	search := func(who string, s *bulk.Selection) int {
		op := b.finish(b.begun(b.Bulk.MarkUnread(b.Context(who), bulk.MarkInput{Selection: s, ConfirmForOwner: true, IdempotencyKey: rand.Text()})))
		require.Zero(t, op.Refused())
		return int(op.Total)
	}
	require.Equal(t, 6, search("ada", &bulk.Selection{Search: ptr("parcel")}), "each once, though one wrote twice")
	require.Equal(t, 3, search("amy", &bulk.Selection{Search: ptr("PARCEL")}), "what amy sees")
	require.Equal(t, 3, search("ada", &bulk.Selection{Search: ptr("parcel"), FilterBy: &conversation.Filter{ChannelID: b.channel(parleytest.Support)}}))
	require.Equal(t, 3, search("ada", &bulk.Selection{
		Search: ptr("parc"), View: &conversation.View{Kind: conversation.SenderID, Subject: b.channel(parleytest.Sales)},
	}))
	require.Equal(t, 1, search("ada", &bulk.Selection{Search: ptr(customer(4))}), "by number")
	require.Zero(t, search("ada", &bulk.Selection{Search: ptr("nothing like it")}))
	_, err := b.Bulk.MarkRead(b.Context("ada"), reading(&bulk.Selection{Search: ptr("parcel"), IDs: b.ids("ada")}))
	require.Equal(t, fault.BadInput, fault.CodeOf(err))
	_, err = b.Bulk.MarkRead(b.Context("ada"), reading(&bulk.Selection{Search: ptr("?")}))
	var f *fault.Error
	require.ErrorAs(t, err, &f)
	require.Equal(t, "input.selection.search", f.Field)
}

func (b *bundle) channel(address string) *string {
	for _, ch := range b.Directory.Channels() {
		if ch.Address == address {
			return &ch.ID
		}
	}
	return nil
}

func TestWhatCannotBeSelected(t *testing.T) {
	t.Parallel()
	b := setup(t)
	view := &conversation.View{Kind: conversation.All}
	for field, s := range map[string]*bulk.Selection{
		"input.selection":                    {},
		"input.selection ":                   {FilterBy: &conversation.Filter{}},
		"input.selection  ":                  {IDs: []string{"cnv_x"}, View: view},
		"input.selection.ids":                {IDs: []string{}},
		"input.selection.ids ":               {IDs: []string{"agt_4k0m2v7q9p3xa"}},
		"input.selection.ids  ":              {IDs: make([]string, bulk.MostIDs+1)},
		"input.selection.view.subject":       {View: &conversation.View{Kind: conversation.SenderID}},
		"input.selection.filterBy.channelId": {View: view, FilterBy: &conversation.Filter{ChannelID: ptr("x")}},
	} {
		_, err := b.Bulk.MarkRead(b.Context("amy"), reading(s))
		var f *fault.Error
		require.ErrorAs(t, err, &f, field)
		require.Equal(t, fault.BadInput, f.Code)
		require.Equal(t, strings.TrimSpace(field), f.Field)
	}
}
