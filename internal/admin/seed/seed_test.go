package seed_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nyaruka/phonenumbers"
	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/admin/seed"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

func one(t testing.TB, s *store.Store, statement string) string {
	t.Helper()
	all := parleytest.Rows(t, s, statement)
	require.Len(t, all, 1)
	return all[0]
}

// contents are everything a set consists of, with names in place of keys.
var contents = []string{
	`SELECT r.object_type, r.external_id, r.name, r.mobile_number, r.updated_at FROM records r ORDER BY r.external_id`,
	`SELECT c.address, h.address, a.username, q.name, r.external_id, c.object_type, c.name, c.preview, c.last_message_at, c.last_direction,
		c.last_incoming_at, CASE WHEN c.is_unread THEN 1 ELSE 0 END, c.inbound_count, c.read_count, c.last_seq, c.created_at,
		u.consent_status, CASE WHEN c.assigned THEN 1 ELSE 0 END
		FROM conversations c JOIN channels h ON h.id = c.channel_id JOIN messaging_users u ON u.id = c.messaging_user_id
		LEFT JOIN agents a ON a.id = c.owner_id LEFT JOIN queues q ON q.id = c.queue_id LEFT JOIN records r ON r.id = c.record_id
		ORDER BY c.address`,
	`SELECT c.address, m.seq, m.direction, m.kind, m.source, m.text, a.username, m.status, m.error_code, m.inbound_ordinal, m.provider_id,
		m.provider_time, m.created_at FROM messages m JOIN conversations c ON c.id = m.conversation_id
		LEFT JOIN agents a ON a.id = m.author_id ORDER BY c.address, m.seq`,
	`SELECT c.address, m.seq, t.number, t.status, t.error_code, t.provider_id, t.updated_at, t.created_at FROM attempts t
		JOIN messages m ON m.id = t.message_id JOIN conversations c ON c.id = m.conversation_id ORDER BY c.address, m.seq, t.number`,
	`SELECT c.address, a.username, p.last_message_at FROM participants p JOIN conversations c ON c.id = p.conversation_id
		JOIN agents a ON a.id = p.agent_id ORDER BY c.address, a.username`,
	`SELECT username, name, role FROM agents ORDER BY username`,
}

func digest(t testing.TB, s *store.Store) string {
	t.Helper()
	h := sha256.New()
	for _, statement := range contents {
		for _, row := range parleytest.Rows(t, s, statement) {
			_, _ = fmt.Fprintln(h, row)
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func filled(t testing.TB, options ...seed.Options) *parleytest.Parley {
	t.Helper()
	p := parleytest.New(t)
	for _, o := range options {
		require.NoError(t, seed.Fill(t.Context(), p.Directory, p.Store, o))
	}
	return p
}

func TestTheSameNumbersMakeTheSameRowsAndOthersOthers(t *testing.T) {
	t.Parallel()
	small := seed.Options{Conversations: 60, Messages: 500, Seed: 7}
	first := digest(t, filled(t, small).Store)
	require.Equal(t, first, digest(t, filled(t, small).Store))
	require.Equal(t, first, digest(t, filled(t, small, small).Store), "run twice")
	small.Seed = 8
	require.NotEqual(t, first, digest(t, filled(t, small).Store))
}

func TestAnInterruptedRunIsCompletedByTheNext(t *testing.T) {
	t.Parallel()
	o := seed.InBatches(seed.Options{Conversations: 200, Messages: 1500, Seed: 3}, 100)
	var stop atomic.Pointer[context.CancelFunc]
	p := parleytest.New(t, func(c *app.Config) {
		c.Trace = func(_ context.Context, statement string) func(error) {
			if s := stop.Load(); s != nil && (strings.HasPrefix(statement, "INSERT INTO messages ") || statement == "COPY messages") {
				(*s)()
			}
			return nil
		}
	})
	for i := range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		stop.Store(&cancel)
		require.ErrorIs(t, seed.Fill(ctx, p.Directory, p.Store, o), context.Canceled)
		n, err := strconv.Atoi(one(t, p.Store, `SELECT COUNT(*) FROM conversations`))
		require.NoError(t, err)
		require.Greater(t, n, i, "the batch under way is finished")
		require.Less(t, n, 200)
		checkInvariants(t, p.Store)
		p.Clock.Advance(time.Minute) // the set still ends when it was begun
	}
	stop.Store(nil)
	require.NoError(t, seed.Fill(t.Context(), p.Directory, p.Store, o))
	require.Equal(t, digest(t, filled(t, o).Store), digest(t, p.Store))
}

func TestASetHoldsWhatItWasAskedForAndKeepsEveryInvariant(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	customer := "+12055550123"
	p.Say(customer, parleytest.Sales, "I was here before")
	require.NoError(t, seed.Fill(t.Context(), p.Directory, p.Store, seed.Options{Conversations: 300, Messages: 4000, Seed: 1}))
	require.NoError(t, seed.Demo(t.Context(), p.Directory, p.Store))
	p.Say(customer, parleytest.Sales, "And I am here after")
	require.Equal(t, "341", one(t, p.Store, `SELECT COUNT(*) FROM conversations`))
	require.Equal(t, "4402", one(t, p.Store, `SELECT COUNT(*) FROM messages`))
	require.Equal(t, "2", one(t, p.Store, `SELECT last_seq FROM conversations WHERE address = '`+customer+`' AND preview = 'And I am here after'`))
	checkInvariants(t, p.Store)
	for _, number := range parleytest.Rows(t, p.Store, `SELECT address FROM messaging_users`) {
		n, err := phonenumbers.Parse(number, "")
		require.NoError(t, err)
		require.True(t, phonenumbers.IsPossibleNumber(n), number)
		require.Equal(t, number, phonenumbers.Format(n, phonenumbers.E164))
	}
	now := fmt.Sprint(int64(p.Clock.Now()))
	require.Equal(t, "0", one(t, p.Store, `SELECT COUNT(*) FROM messages WHERE created_at > `+now))
	require.Equal(t, "0", one(t, p.Store, `SELECT COUNT(*) FROM attempts WHERE updated_at < created_at OR updated_at > `+now))
}

func TestAgentsAndSenderIDsGrowWithTheSet(t *testing.T) {
	t.Parallel()
	p := filled(t, seed.Options{Conversations: 10_000, Messages: 12_000, Seed: 1})
	require.Len(t, p.Directory.Agents(), 4+4*6)
	require.Len(t, p.Directory.Channels(), 4+4)
	require.Equal(t, "8", one(t, p.Store, `SELECT COUNT(DISTINCT channel_id) FROM conversations`))
	require.Equal(t, "2", one(t, p.Store, `SELECT COUNT(*) FROM queues`))
	require.Equal(t, "10000", one(t, p.Store, `SELECT COUNT(DISTINCT address) FROM conversations`))
	checkInvariants(t, p.Store)
	head, err := p.Store.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, fmt.Sprint(head), one(t, p.Store, `SELECT COUNT(*) FROM events`))
	require.Equal(t, "2", one(t, p.Store, `SELECT COUNT(*) FROM events WHERE cause = 'DIRECTORY_CHANGED'`), "organisation and teams")
}

func TestTheDemoLooksLikeADesk(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	require.NoError(t, seed.Demo(t.Context(), p.Directory, p.Store))
	require.Equal(t, "40|400", one(t, p.Store, `SELECT COUNT(*), SUM(last_seq) FROM conversations`))
	counts := map[string]parleytest.Tree{}
	for _, inbox := range p.As("amy").Do(`{ viewer { inboxes { nodes { title counts { total unread new } } } } }`, nil).
		Get("viewer", "inboxes", "nodes").List() {
		counts[inbox.Get("title").String()] = inbox.Get("counts")
	}
	for _, title := range []string{"My Inbox", "Sales", "Amy direct", "Unassigned", "Contact", "Lead"} {
		require.NotZero(t, counts[title].Get("total").Int(), title)
	}
	require.NotZero(t, counts["My Inbox"].Get("unread").Int())
	require.NotZero(t, counts["Unassigned"].Get("unread").Int())
	require.Less(t, counts["My Inbox"].Get("unread").Int(), counts["My Inbox"].Get("total").Int())
	page := p.As("amy").Do(`{ conversations(view: {kind: MY_INBOX}, first: 20) { nodes { name preview lastMessageAt owner { username } } } }`, nil)
	for _, c := range page.Get("conversations", "nodes").List() {
		require.NotEmpty(t, c.Get("preview").String())
		require.Equal(t, "amy", c.Get("owner", "username").String())
	}
}

// Servers of the version before read two columns, and no document.
func TestDemoAccountsWorkForTheVersionBefore(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	accounts, err := p.Store.Ent.ProviderAccount.Query().All(p.System())
	require.NoError(t, err)
	require.Len(t, accounts, 2)
	for _, a := range accounts {
		provider := p.Messenger.Providers[a.Provider]
		old, err := channel.Stored{SID: a.Sid, Secret: channel.Secret(a.Secret)}.Credentials(provider)
		require.NoError(t, err)
		require.Empty(t, old.Missing())
		require.True(t, provider.Verify(channel.Account{Credentials: old}, signed(t, provider, p.Directory.Account(a.Key).Account)), "the same secret")
	}
}

// signed is a webhook of the account's carrier.
func signed(t *testing.T, provider channel.Provider, a channel.Account) channel.Webhook {
	t.Helper()
	req, err := provider.(channel.Caller).Compose(a, "https://p.example.com/w", channel.Inbound{From: "+12025550199", To: "+12025550100", Text: "Hi"})
	require.NoError(t, err)
	body, err := io.ReadAll(req.Body)
	require.NoError(t, err)
	return channel.Webhook{PublicURL: req.URL.String(), Header: req.Header, Body: body}
}

func TestAnOpenStreamStaysExactWhileASetGoesIn(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	stream := p.As("ada").Subscribe(`subscription { conversationsChanged(view: {kind: ALL}) { kind counts { total unread new } } }`, nil)
	require.Equal(t, "OPEN", stream.Next().Get("conversationsChanged", "kind").String())
	other := parleytest.OpenAt(t, p.Config.Database) // as parley seed does, from a process of its own
	o := seed.InBatches(seed.Options{Conversations: 50, Messages: 300, Seed: 5}, 60)
	require.NoError(t, seed.Fill(t.Context(), other.Directory, other.Store, o))
	var last parleytest.Tree
	for range 50 {
		last = stream.Next().Get("conversationsChanged")
		require.Equal(t, "ENTER", last.Get("kind").String())
	}
	require.Equal(t, one(t, p.Store, `SELECT COUNT(*), SUM(CASE WHEN is_unread THEN 1 ELSE 0 END), SUM(inbound_count - read_count) FROM conversations`),
		last.Get("counts", "total").String()+"|"+last.Get("counts", "unread").String()+"|"+last.Get("counts", "new").String())
}

func TestNumbersThatCannotBeMadeAreRefused(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	for _, o := range []seed.Options{
		{Conversations: 0, Messages: 10},
		{Conversations: 10, Messages: 9},
		{Conversations: seed.MostConversations + 1, Messages: 2 * seed.MostConversations},
		{Conversations: 1, Messages: seed.MostMessages + 1},
	} {
		require.ErrorContains(t, seed.Fill(t.Context(), p.Directory, p.Store, o), "seed: ask for")
	}
}

func TestProgressIsToldInLinesWhereThereIsNoTerminal(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	var out bytes.Buffer
	o := seed.InBatches(seed.Options{Conversations: 50, Messages: 100, Seed: 2, Progress: &out}, 2)
	require.NoError(t, seed.Fill(t.Context(), p.Directory, p.Store, o))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Equal(t, "seed: 0 of 50 conversations", lines[0])
	require.Equal(t, "seed: 50 of 50 conversations", lines[len(lines)-1])
	require.Less(t, len(lines), 25, "one a second at most")
}
