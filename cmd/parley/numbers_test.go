package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/conversation"
	"parley/internal/ground/store"
)

func TestNumbersAreListedThenMended(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	p := parleytest.OpenAt(t, database)
	p.Say("60777", parleytest.Sales, "Your code is 1234")
	require.NoError(t, p.Store.Write(p.System(), func(ctx context.Context, tx *store.Tx) error {
		var key int64
		for _, ch := range p.Directory.Channels() {
			if ch.Address == parleytest.Sales {
				key = ch.Key
			}
		}
		row, _, err := p.Conversations.Ensure(ctx, tx, key, conversation.Customer{Address: "60777"})
		if err != nil {
			return err
		}
		return p.Conversations.Readdress(ctx, tx, row, "+160777", "US") // as an earlier version had it
	}))
	finding := `\+160777 to \+12025550100 \(\w+\): The messages came from 60777 \(message 1\)\.` + "\n"
	for range 2 {
		out, err := command(t, "--database", database, "numbers", "list")
		require.NoError(t, err)
		require.Regexp(t, `^`+finding+`  becomes: 60777\n  note to add: .*\nConversations under a wrong number: 1\. Fixable with parley numbers mend: 1\.\n$`, out)
	}
	out, err := command(t, "--database", database, "numbers", "mend")
	require.NoError(t, err)
	require.Regexp(t, `^`+finding+`  is now: 60777\n  noted: .*\nConversations fixed: 1\. Left unchanged: 0\.\n$`, out)
	out, err = command(t, "--database", database, "numbers", "mend")
	require.NoError(t, err)
	require.Equal(t, "Conversations fixed: 0. Left unchanged: 0.\n", out)
}
