package resolvers_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/ent/migrate"
	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

const identifiers = `{ conversations(view: {kind: ALL}, first: 10) { nodes { messageCount messagingUser { address identifiers { kind value received isPrimary } } } } }`

// Carriers' and people's own writing is kept beside the number that it is.
func TestACustomerIsKnownByIdentifiers(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.Say("+12025550151", parleytest.Sales, "Hello")
	d.Say("KLARNA", parleytest.Sales, "Your bill")
	amy := d.As("amy")
	channel := amy.Do(`{ channels { id address } }`, nil).Get("channels")
	for _, c := range channel.List() {
		if c.Get("address").String() == parleytest.Sales {
			amy.Do(`mutation($channel: ID!) { startConversation(input: {channelId: $channel, number: "(202) 555-0177", text: "Hi", idempotencyKey: "i"}) { errors { code } } }`,
				vars{"channel": c.Get("id").String()})
		}
	}
	want := map[string]string{
		"+12025550151": `[{"isPrimary":true,"kind":"PHONE_NUMBER","received":"+12025550151","value":"+12025550151"}]`,
		"KLARNA":       `[{"isPrimary":true,"kind":"SENDER_NAME","received":"KLARNA","value":"KLARNA"}]`,
		"+12025550177": `[{"isPrimary":true,"kind":"PHONE_NUMBER","received":"(202) 555-0177","value":"+12025550177"}]`,
	}
	got := map[string]string{}
	for _, c := range amy.Do(identifiers, nil).Get("conversations", "nodes").List() {
		got[c.Get("messagingUser", "address").String()] = c.Get("messagingUser", "identifiers").String()
	}
	require.Equal(t, want, got)
}

// Customers from before there were identifiers, and those whom an older process makes
// meanwhile, are found by their address and go on in their conversation.
func TestCustomersOfOlderVersionsHaveIdentifiers(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	p.Say("+12025550151", parleytest.Sales, "Hello")
	p.Say("KLARNA", parleytest.Sales, "Your bill")
	folder := "sqlite"
	if parleytest.OnPostgres() {
		folder = "postgres"
	}
	migration, err := migrate.Files.ReadFile(folder + "/20261128140000_identifiers.sql")
	require.NoError(t, err)
	_, backfill, _ := strings.Cut(string(migration), "-- every customer is known by their address\n")
	backfill, _, found := strings.Cut(backfill, ";")
	require.True(t, found)
	execute(t, p, "DELETE FROM identifiers", backfill)
	kinds := `SELECT kind || ' ' || lookup || ' ' || display || received FROM identifiers ORDER BY lookup`
	migrated := []string{"PHONE_NUMBER +12025550151 +12025550151", "SENDER_NAME KLARNA KLARNA"}
	require.Equal(t, migrated, parleytest.Rows(t, p.Store, kinds))

	execute(t, p, "DELETE FROM identifiers")
	shown := p.As("amy").Do(identifiers, nil).Get("conversations", "nodes", 0, "messagingUser", "identifiers").String()
	require.Equal(t, `[{"isPrimary":true,"kind":"SENDER_NAME","received":null,"value":"KLARNA"}]`, shown)
	p.Say("KLARNA", parleytest.Sales, "Once more")
	again := p.As("amy").Do(identifiers, nil).Get("conversations", "nodes")
	require.Len(t, again.List(), 2)
	require.Equal(t, 2, again.Get(0, "messageCount").Int())
	require.Equal(t, []string{"SENDER_NAME KLARNA KLARNAKLARNA"}, parleytest.Rows(t, p.Store, kinds))
}

func execute(t *testing.T, p *parleytest.Parley, statements ...string) {
	t.Helper()
	require.NoError(t, p.Store.Write(p.System(), func(ctx context.Context, tx *store.Tx) error {
		for _, text := range statements {
			if _, err := tx.Exec(ctx, store.SQL(text)); err != nil {
				return err
			}
		}
		return nil
	}))
}
