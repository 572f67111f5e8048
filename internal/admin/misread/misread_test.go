package misread_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"github.com/stretchr/testify/require"

	"parley/ent"
	entchannel "parley/ent/channel"
	"parley/internal/admin/doctor"
	"parley/internal/admin/misread"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/desk/journal"
	"parley/internal/desk/message"
	"parley/internal/ground/store"
)

// past is a desk as an earlier version left it, in one country.
type past struct {
	*parleytest.Parley
	channel *directory.Channel
	said    int
}

func before(t *testing.T, country string) *past {
	p := &past{Parley: parleytest.New(t)}
	p.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.Channel.Update().Where(entchannel.Address(parleytest.Sales)).SetCountry(country).Exec(ctx)
	})
	require.NoError(t, p.Directory.Refresh(context.Background()))
	for _, ch := range p.Directory.Channels() {
		if ch.Address == parleytest.Sales {
			p.channel = ch
		}
	}
	return p
}

func (p *past) write(fn func(context.Context, *store.Tx) error) {
	p.T.Helper()
	require.NoError(p.T, p.Store.Write(p.System(), func(ctx context.Context, tx *store.Tx) error { return fn(journal.Within(ctx, tx), tx) }))
}

// number is how the earlier version read a number.
func (p *past) number(written string) string {
	n, err := phonenumbers.Parse(written, p.channel.Country)
	if err != nil || !phonenumbers.IsPossibleNumber(n) {
		return written
	}
	return phonenumbers.Format(n, phonenumbers.E164)
}

// hear takes a message in as the earlier version did; forgotten says that its entry
// is not kept any more.
func (p *past) hear(from string, forgotten bool) {
	p.T.Helper()
	p.said++
	in := channel.Inbound{EventID: fmt.Sprint("e", p.said), ProviderID: fmt.Sprint("m", p.said), From: from, To: parleytest.Sales, Text: "from " + from}
	payload, err := json.Marshal(channel.Kept{Message: &in})
	require.NoError(p.T, err)
	p.write(func(ctx context.Context, tx *store.Tx) error {
		if !forgotten {
			insert := store.Fixed(`INSERT INTO raw_inbounds (provider_account_id, event_id, state, provider_id, payload, created_at)
				VALUES (?, ?, 'DONE', '', ?, ?)`).With(p.channel.Account.ID, in.EventID, payload, int64(tx.Now))
			if _, err := tx.Exec(ctx, insert); err != nil {
				return err
			}
		}
		return p.add(ctx, tx, conversation.Customer{Address: p.number(from)}, message.New{
			Direction: content.Inbound, Source: content.Customer, Content: content.TextContent{Text: in.Text},
			AccountID: p.channel.Account.ID, ProviderID: in.ProviderID,
		})
	})
}

// say sends as the earlier version did, to a record if its number is given.
func (p *past) say(to string, mobile string) {
	p.T.Helper()
	p.write(func(ctx context.Context, tx *store.Tx) error {
		customer := conversation.Customer{Address: p.number(to)}
		if mobile != "" {
			r, err := record(ctx, tx.Ent, mobile)
			if err != nil {
				return err
			}
			customer.Record = &conversation.Record{Key: r.ID, ObjectType: r.ObjectType}
		}
		return p.add(ctx, tx, customer, message.New{
			Direction: content.Outbound, Source: content.Desk, Content: content.TextContent{Text: "to " + to}, Status: channel.Sent,
		})
	})
}

func record(ctx context.Context, tx *ent.Client, mobile string) (*ent.Record, error) {
	return tx.Record.Create().SetObjectType("Contact").SetExternalID(mobile).SetName("Cleo").SetMobileNumber(mobile).SetUpdatedAt(1).Save(ctx)
}

func (p *past) add(ctx context.Context, tx *store.Tx, customer conversation.Customer, n message.New) error {
	row, _, err := p.Conversations.Ensure(ctx, tx, p.channel.Key, customer)
	if err != nil {
		return err
	}
	return p.Conversations.Apply(ctx, tx, row, func(ctx context.Context, row *conversation.Row) (feed.Event, error) {
		added, err := p.Messenger.Insert(ctx, tx, row, n)
		if n.Direction == content.Inbound {
			row.Receive(added.Shown(), 0)
		} else {
			row.Send(added.Shown(), 0, 0, 0, false)
		}
		return feed.Event{Cause: feed.MessageAdded, MessageID: added.Key}, err
	})
}

// line is a finding in short.
func line(f *misread.Finding) string {
	out := f.Address
	if f.Readdress != "" {
		out += " -> " + f.Readdress
	}
	for _, note := range f.Notes {
		out += " | " + note
	}
	return out
}

func (p *past) mender() *misread.Mender {
	return &misread.Mender{
		Store: p.Store, Directory: p.Directory, IDs: p.Messenger.IDs, Conversations: p.Conversations, Messenger: p.Messenger,
	}
}

func (p *past) find() (lines []string) {
	p.T.Helper()
	m := p.mender()
	require.NoError(p.T, m.Find(context.Background(), func(f *misread.Finding) { lines = append(lines, line(f)) }))
	return lines
}

func (p *past) mend() (lines []string) {
	p.T.Helper()
	m := p.mender()
	require.NoError(p.T, m.Mend(context.Background(), func(f *misread.Finding) { lines = append(lines, line(f)) }))
	return lines
}

// threads are the texts of all conversations by address.
func (p *past) threads() map[string]string {
	p.T.Helper()
	out := map[string]string{}
	for _, row := range parleytest.Rows(p.T, p.Store, `SELECT c.address || '=' || u.address || '=' || m.text FROM messages m
		JOIN conversations c ON c.id = m.conversation_id JOIN messaging_users u ON u.id = c.messaging_user_id ORDER BY c.id, m.seq`) {
		parts := strings.SplitN(row, "=", 3)
		require.Equal(p.T, parts[0], parts[1], "a conversation and its customer")
		out[parts[0]] += parts[2] + "\n"
	}
	return out
}

func (p *past) healthy() {
	p.T.Helper()
	doctor.Examine(context.Background(), doctor.Options{Database: p.Config.Database, Mode: "production", Deep: true}, func(f doctor.Finding) {
		if f.Check == "counts" || f.Check == "event log" || f.Check == "integrity" {
			require.Equal(p.T, doctor.OK, f.Level, f.Means)
		}
	})
}

func TestWhatAnEarlierVersionMisreadIsMended(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		country string
		past    func(p *past)
		found   []string // as list shows it, before
		left    []string // and after
		threads map[string]string
	}{
		"a short code": {
			"GB", func(p *past) { p.hear("60777", true); p.hear("60777", false) },
			[]string{"+4460777 -> 60777 | This conversation was under +4460777 by mistake. It is with 60777."},
			nil,
			map[string]string{"60777": "from 60777\nfrom 60777\nThis conversation was under +4460777 by mistake. It is with 60777.\n"},
		},
		"a short code that was answered": {
			"DE", func(p *past) { p.hear("80888", false); p.say("80888", "") },
			[]string{"+4980888 -> 80888 | This conversation was under +4980888 by mistake. It is with 80888. What was sent before went to +4980888."},
			nil,
			map[string]string{"80888": "from 80888\nto 80888\nThis conversation was under +4980888 by mistake. It is with 80888. What was sent before went to +4980888.\n"},
		},
		"a name that could be a number": {
			"US", func(p *past) { p.hear("1800FLOWERS", false); p.hear("1800FLOWERS", false) },
			[]string{"+18003569377 -> 1800FLOWERS | This conversation was under +18003569377 by mistake. It is with 1800FLOWERS."},
			nil,
			map[string]string{"1800FLOWERS": "from 1800FLOWERS\nfrom 1800FLOWERS\nThis conversation was under +18003569377 by mistake. It is with 1800FLOWERS.\n"},
		},
		"a name in a customer's thread": {
			"GB", func(p *past) {
				p.hear("+447700900222", false)
				p.hear("07700900ABC", false)
				p.hear("07700900ABC", false)
			},
			[]string{"+447700900222 | Not from this customer but from 07700900ABC: messages 2, 3."},
			[]string{"+447700900222"},
			map[string]string{"+447700900222": "from +447700900222\nfrom 07700900ABC\nfrom 07700900ABC\nNot from this customer but from 07700900ABC: messages 2, 3.\n"},
		},
		"a name where the customer's own entry is not kept any more": {
			"GB", func(p *past) { p.hear("+447400123456", true); p.hear("07400123GJM", false) },
			[]string{"+447400123456 | Not from this customer but from 07400123GJM: message 2."},
			[]string{"+447400123456"},
			map[string]string{"+447400123456": "from +447400123456\nfrom 07400123GJM\nNot from this customer but from 07400123GJM: message 2.\n"},
		},
		"a name in a conversation that an agent started": {
			"US", func(p *past) { p.say("+18003569377", ""); p.hear("1800FLOWERS", false) },
			[]string{"+18003569377 | Not from this customer but from 1800FLOWERS: message 2."},
			[]string{"+18003569377"},
			map[string]string{"+18003569377": "to +18003569377\nfrom 1800FLOWERS\nNot from this customer but from 1800FLOWERS: message 2.\n"},
		},
		"two names in one": {
			"GB", func(p *past) { p.hear("607777", false); p.hear("607SPS", false) },
			[]string{"+44607777 | Not from this customer but from 607777: message 1. | Not from this customer but from 607SPS: message 2."},
			[]string{"+44607777"},
			map[string]string{"+44607777": "from 607777\nfrom 607SPS\nNot from this customer but from 607777: message 1.\nNot from this customer but from 607SPS: message 2.\n"},
		},
		"a carrier that did hand over what is no number": {
			"GB", func(p *past) { p.hear("+4460777", false); p.hear("60777", false) },
			[]string{"+4460777 | Not from this customer but from 60777: message 2."},
			[]string{"+4460777"},
			map[string]string{"+4460777": "from +4460777\nfrom 60777\nNot from this customer but from 60777: message 2.\n"},
		},
		"a short code that has written since": {
			"GB", func(p *past) { p.hear("60777", false); p.Say("60777", parleytest.Sales, "since") },
			[]string{"+4460777 | Not from this customer but from 60777: message 1."},
			[]string{"+4460777"},
			map[string]string{"+4460777": "from 60777\nNot from this customer but from 60777: message 1.\n", "60777": "since\n"},
		},
		"nobody knows who wrote": {
			"GB", func(p *past) { p.hear("118118", true) },
			[]string{"+44118118"},
			[]string{"+44118118"},
			map[string]string{"+44118118": "from 118118\n"},
		},
		"a record's number with a name behind it": {
			"US", func(p *past) { p.say("202555ABCD", "202555ABCD"); p.say("5550123", "5550123") },
			[]string{
				`+12025552223 | Check the number before you write: +12025552223 was read from "202555ABCD", which the record has and which is no number.`,
				"+15550123",
			},
			[]string{"+12025552223", "+15550123"},
			map[string]string{
				"+12025552223": "to 202555ABCD\n" + `Check the number before you write: +12025552223 was read from "202555ABCD", which the record has and which is no number.` + "\n",
				"+15550123":    "to 5550123\n",
			},
		},
		"nothing": {
			"GB", func(p *past) {
				p.hear("+447700900222", false)
				p.hear("07400123456", false)
				p.hear("447400123456", false)
				p.hear("SUPPORT", false)
				p.Say("60777", parleytest.Sales, "Hello")
				p.say("+442079460018", "020 7946 0018")
			}, nil, nil,
			map[string]string{
				"+447700900222": "from +447700900222\n", "+447400123456": "from 07400123456\nfrom 447400123456\n", "SUPPORT": "from SUPPORT\n",
				"60777": "Hello\n", "+442079460018": "to +442079460018\n",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := before(t, test.country)
			test.past(p)
			unchanged := p.threads()
			require.Equal(t, test.found, p.find())
			require.Equal(t, unchanged, p.threads(), "finding changes nothing")
			require.Equal(t, test.found, p.mend())
			require.Equal(t, test.threads, p.threads())
			require.Equal(t, test.left, p.find())
			require.Equal(t, test.left, p.mend(), "mending again changes nothing")
			require.Equal(t, test.threads, p.threads())
			p.healthy()
		})
	}
}

// A conversation that took its sender's address is found by it, takes in what the
// sender writes next, and cannot be answered; open streams learn of it.
func TestAMendedConversationGoesOn(t *testing.T) {
	t.Parallel()
	p := before(t, "GB")
	p.hear("60777", false)
	amy := p.As("amy")
	require.Equal(t, []string{"+4460777"}, found(amy, "4460777"))
	stream := p.Run().As("amy").Subscribe(`subscription { conversationsChanged(view: {kind: ALL}) { kind conversation { mobileNumber } } }`, nil)
	stream.Next()
	p.mend()
	require.Equal(t, "60777", stream.Next().Get("conversationsChanged", "conversation", "mobileNumber").String())
	require.Empty(t, found(amy, "4460777"))
	require.Equal(t, []string{"60777"}, found(amy, "60777"))
	p.Say("60777", parleytest.Sales, "again")
	c := amy.Do(`{ conversations(view: {kind: ALL}, first: 5) { nodes { name mobileNumber messageCount newCount messagingUser { address country identifiers { kind value } }
		sendability { refusals { code } } } } }`, nil).Get("conversations", "nodes")
	require.Len(t, c.List(), 1)
	require.Equal(t, `{"messageCount":3,"messagingUser":{"address":"60777","country":null,"identifiers":[{"kind":"SENDER_NAME","value":"60777"}]},"mobileNumber":"60777","name":"60777","newCount":2,`+
		`"sendability":{"refusals":[{"code":"NUMBER_INVALID"}]}}`, c.Get(0).String())
}

func found(who *parleytest.Client, query string) (addresses []string) {
	for _, hit := range who.Do(`query ($query: String!) { search(query: $query, kinds: [NUMBER]) { nodes { conversation { mobileNumber } } } }`,
		parleytest.Vars{"query": query}).Get("search", "nodes").List() {
		addresses = append(addresses, hit.Get("conversation", "mobileNumber").String())
	}
	return addresses
}

// Interrupted after any conversation, mending goes on where it was.
func TestMendingGoesOnAfterAnInterruption(t *testing.T) {
	t.Parallel()
	p := before(t, "GB")
	codes := []string{"60777", "60888", "118118", "365Taxi"}
	for _, code := range codes {
		p.hear(code, false)
	}
	m := p.mender()
	for i := range codes {
		ctx, stop := context.WithCancel(context.Background())
		err := m.Mend(ctx, func(*misread.Finding) { stop() })
		stop()
		if i < len(codes)-1 {
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorContains(t, err, "run it again")
		}
	}
	want := map[string]bool{}
	for _, code := range codes {
		want[code] = true
	}
	got := map[string]bool{}
	for address, texts := range p.threads() {
		got[address] = true
		require.Equal(t, 2, strings.Count(texts, "\n"), "one note each")
	}
	require.Equal(t, want, got)
	require.Empty(t, p.find())
	p.healthy()
}

// A write that fails leaves its conversation as it was.
func TestAMendThatFailsLeavesEverything(t *testing.T) {
	t.Parallel()
	p := before(t, "GB")
	p.hear("60777", false)
	unchanged := p.threads()
	broken := errors.New("broken")
	err := p.Store.Write(p.System(), func(ctx context.Context, tx *store.Tx) error {
		row, _, err := p.Conversations.Ensure(ctx, tx, p.channel.Key, conversation.Customer{Address: "+4460777"})
		if err != nil {
			return err
		}
		if err := p.Conversations.Readdress(ctx, tx, row, "60777", ""); err != nil {
			return err
		}
		return broken
	})
	require.ErrorIs(t, err, broken)
	require.Equal(t, unchanged, p.threads())
	require.Len(t, p.mend(), 1)
}
