package inbound_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	entchannel "parley/ent/channel"
	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

// What is no number for certain has a conversation of its own, named as it came,
// that cannot be answered; no customer's takes it in.
func TestSendersAreKeptAsTheyCame(t *testing.T) {
	t.Parallel()
	for country, test := range map[string]struct{ customers, senders []string }{
		"GB": {
			[]string{"+447700900222", "+447400123456", "+442079460018"},
			[]string{"07700900ABC", "60777", "118118", "365Taxi", "07400123JKM", "020794600TV", "Boots.UK", "07700900222"},
		},
		"DE": {[]string{"+491701234567", "+4989888"}, []string{"80888", "89888", "0170123JKMP", "17012345MR", "INFO", "2345678"}},
		"AU": {[]string{"+61412345678", "+61131166"}, []string{"131SHOP", "0499", "131166", "041234JKMT"}},
		"US": {[]string{"+18003569377", "+12025550178"}, []string{"1800FLOWERS", "247CABSLLC", "68849", "202555ABCD", "SUPPORT", "+1202555ABCD"}},
	} {
		t.Run(country, func(t *testing.T) {
			t.Parallel()
			p := parleytest.New(t)
			require.NoError(t, p.Directory.Change(p.System(), func(ctx context.Context, tx *store.Tx) error {
				return tx.Ent.Channel.Update().Where(entchannel.Address(parleytest.Sales)).SetCountry(country).Exec(ctx)
			}))
			say := func(i int, from string) {
				e := said(fmt.Sprint(from, i), "from "+from)
				e.From = from
				p.Post(compose(t, p, e))
			}
			for i := range 2 {
				for _, from := range append(test.customers, test.senders...) {
					say(i, from)
				}
			}
			require.Empty(t, problems(t, p))
			threads := map[string]bool{}
			for _, c := range p.As("amy").Do(`{ conversations(view: {kind: ALL}, first: 50) { nodes { name mobileNumber messageCount
				sendability { canSend refusals { code } } messages(first: 5) { nodes { content { ... on TextContent { text } } } } } } }`, nil).
				Get("conversations", "nodes").List() {
				address := c.Get("mobileNumber").String()
				threads[address] = c.Get("sendability", "canSend").Bool()
				require.Equal(t, address, c.Get("name").String())
				require.Equal(t, 2, c.Get("messageCount").Int(), address)
				for _, m := range c.Get("messages", "nodes").List() {
					require.Equal(t, "from "+address, m.Get("content", "text").String())
				}
				if !threads[address] {
					require.Equal(t, "NUMBER_INVALID", c.Get("sendability", "refusals", 0, "code").String())
				}
			}
			want := map[string]bool{}
			for _, customer := range test.customers {
				want[customer] = true
			}
			for _, sender := range test.senders {
				want[sender] = false
			}
			require.Equal(t, want, threads)
		})
	}
}
