package inbound_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/ent"
	"parley/internal/channel"
	"parley/internal/channel/sandbox"
	"parley/internal/check/parleytest"
	"parley/internal/desk/inbound"
	"parley/internal/ground/store"
)

const late = "+12025550177" // a sender ID that is made after its first message came

func toLate(id string) sandbox.Entry {
	e := said(id, "Is this the new number?")
	e.To = late
	return e
}

// makeLate makes the sender ID.
func makeLate(t testing.TB, p *parleytest.Parley) {
	t.Helper()
	require.NoError(t, p.Directory.Change(p.System(), func(ctx context.Context, tx *store.Tx) error {
		account, err := tx.Ent.ProviderAccount.Query().First(ctx)
		if err != nil {
			return err
		}
		amy, err := tx.Ent.Agent.Query().First(ctx)
		if err != nil {
			return err
		}
		return numbered(tx.Ent, account, amy).SetCreatedAt(tx.Now).Exec(ctx)
	}))
}

func numbered(tx *ent.Client, account *ent.ProviderAccount, member *ent.Agent) *ent.ChannelCreate {
	return tx.Channel.Create().SetAccount(account).SetType(channel.SMSLongCode).SetName("Late").
		SetAddress(late).SetCountry("US").AddMembers(member)
}

func TestAFailedEntryIsTakenInWhenItsChannelIsThere(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	p.Post(compose(t, p, toLate("e1"), toLate("e2")))
	p.Post(raw(t, p, `{"type":"dance","id":"e3"}`))
	require.Len(t, problems(t, p), 3)
	rerun := func() (int, int) {
		tried, taken, err := p.Receiver.Rerun(context.Background(), 100)
		require.NoError(t, err)
		return tried, taken
	}
	tried, taken := rerun()
	require.Equal(t, [2]int{3, 0}, [2]int{tried, taken})
	require.Len(t, problems(t, p), 3, "they stay")

	makeLate(t, p)
	tried, taken = rerun()
	require.Equal(t, [2]int{3, 2}, [2]int{tried, taken})
	require.Equal(t, []string{"the entry's type is unknown"}, problems(t, p))
	require.Equal(t, 2, count(t, p, "messages", nil))
	tried, taken = rerun()
	require.Equal(t, [2]int{1, 0}, [2]int{tried, taken})
	p.Post(compose(t, p, toLate("e1")))
	require.Equal(t, 2, count(t, p, "messages", nil), "still the same event")
}

// A version that understands more takes in what an older one could not read.
func TestWhatIsUnderstoodLaterIsTakenInThen(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	r := &reader{Provider: p.Messenger.Providers["sandbox"], blind: true}
	p.Messenger.Providers["sandbox"] = r
	p.Post(compose(t, p, said("e1", "one"), said("e2", "two")))
	require.Equal(t, []string{"not understood"}, problems(t, p))
	r.blind = false
	tried, taken, err := p.Receiver.Rerun(context.Background(), 100)
	require.NoError(t, err)
	require.Equal(t, [2]int{1, 1}, [2]int{tried, taken})
	require.Len(t, messages(t, p), 2)
	require.Empty(t, problems(t, p))
}

// reader understands nothing while it is blind.
type reader struct {
	channel.Provider
	blind bool
}

func (r *reader) Parse(a channel.Account, w channel.Webhook) channel.Delivery {
	if r.blind {
		return channel.Delivery{Bad: []channel.Bad{{EventID: "whole", Reason: "not understood", Raw: w.Body}}}
	}
	return r.Provider.Parse(a, w)
}

func TestRawEntriesAreForgottenInTime(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	forget := func() int64 {
		n, err := p.Receiver.Forget(context.Background())
		require.NoError(t, err)
		return n
	}
	p.Post(compose(t, p, said("e1", "one"), toLate("e2")))
	p.Clock.Advance(inbound.KeptFor)
	p.Post(compose(t, p, said("e3", "three")))
	require.Zero(t, forget())
	p.Clock.Advance(time.Second)
	require.EqualValues(t, 2, forget())
	require.Equal(t, 1, count(t, p, "raw_inbounds", nil))
	p.Post(compose(t, p, said("e1", "one")))
	require.Len(t, messages(t, p), 2, "a carrier that comes back after that finds the message by its id")
	require.Zero(t, forget())
}

func TestFailedEntriesAreBoundedInBytes(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	for _, id := range []string{"e1", "e2", "e3"} {
		p.Post(compose(t, p, toLate(id)))
	}
	n, err := inbound.ForgetCrowded(p.Receiver, 400)
	require.NoError(t, err)
	require.EqualValues(t, 1, n, "the oldest")
	n, err = inbound.ForgetCrowded(p.Receiver, 400)
	require.NoError(t, err)
	require.Zero(t, n)
}
