package conversation_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"parley/ent/provideraccount"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/conversation"
	"parley/internal/ground/store"
)

const whatsApp = "+12025550210"

// withWhatsApp is a Parley with a number that has a care window of a day.
func withWhatsApp(t *testing.T) *parleytest.Parley {
	t.Helper()
	p := parleytest.New(t)
	require.NoError(t, p.Directory.Change(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		account, err := tx.Ent.ProviderAccount.Query().Where(provideraccount.Provider("sandbox")).First(ctx)
		if err != nil {
			return err
		}
		return tx.Ent.Channel.Create().SetAccount(account).SetType(channel.WhatsApp).SetName("WhatsApp").
			SetAddress(whatsApp).SetCreatedAt(tx.Now).Exec(ctx)
	}))
	return p
}

func sweep(t *testing.T, p *parleytest.Parley) int {
	t.Helper()
	n, err := p.Conversations.SweepDue(context.Background())
	require.NoError(t, err)
	return n
}

func TestAClosedCareWindowIsRecordedOnce(t *testing.T) {
	t.Parallel()
	p := withWhatsApp(t)
	p.Say("+12025550181", whatsApp, "Hello")
	p.Say("+12025550182", whatsApp, "Hello")
	p.Say("+12025550183", parleytest.Sales, "Hello") // a text message is answered at any time
	p.Clock.Advance(12 * time.Hour)
	p.Say("+12025550182", whatsApp, "Still there?") // opens the window anew
	p.Clock.Advance(12 * time.Hour)
	require.Zero(t, sweep(t, p), "the last instant is inside")
	p.Clock.Advance(time.Microsecond)
	require.Equal(t, 1, sweep(t, p))
	require.Zero(t, sweep(t, p))
	p.Clock.Advance(12 * time.Hour)
	require.Equal(t, 1, sweep(t, p))
	p.Clock.Advance(1000 * time.Hour)
	require.Zero(t, sweep(t, p))
}

func TestProcessesThatSweepAtOnceRecordEachChangeOnce(t *testing.T) {
	t.Parallel()
	p := withWhatsApp(t)
	const conversations = 30
	for i := range conversations {
		p.Say(fmt.Sprintf("+12025550%03d", i), whatsApp, "Hello")
	}
	head, err := p.Store.Head(context.Background())
	require.NoError(t, err)
	p.Clock.Advance(25 * time.Hour)
	var sweeping sync.WaitGroup
	for range 4 {
		sweeping.Go(func() { _, _ = p.Conversations.SweepDue(context.Background()) })
	}
	sweeping.Wait()
	require.Zero(t, sweep(t, p))
	after, err := p.Store.Head(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, conversations, after-head)
}

// The sweeper looks only at what is due.
func TestTheSweepUsesItsIndex(t *testing.T) {
	t.Parallel()
	p := withWhatsApp(t)
	if parleytest.OnPostgres() {
		return // a table this small is read whole there, whatever the index
	}
	var plan string
	text, args := p.Conversations.DueQuery().Query()
	q := sqlText{text: "EXPLAIN QUERY PLAN " + text, args: args}
	w := &world{Parley: p}
	var id, parent, unused int
	w.read(q, func() {}, &id, &parent, &unused, &plan)
	require.Contains(t, plan, "conversation_due")
	require.NotContains(t, plan, "SCAN")
}

func TestAChangeOfTimeAloneChangesNothingElse(t *testing.T) {
	t.Parallel()
	p := withWhatsApp(t)
	p.Say("+12025550181", whatsApp, "Hello")
	w := &world{Parley: p}
	before := w.facts()
	counts := func() (c conversation.Counts) {
		w.read(p.Store.Builder().Select(entsql.Sum("conversations"), entsql.Sum("unread"), entsql.Sum("new")).From(entsql.Table("count_cells")),
			func() {}, &c.Total, &c.Unread, &c.New)
		return c
	}
	counted := counts()
	p.Clock.Advance(25 * time.Hour)
	require.Equal(t, 1, sweep(t, p))
	require.Equal(t, before, w.facts())
	require.Equal(t, counted, counts())
}
