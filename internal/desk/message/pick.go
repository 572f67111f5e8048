package message

import (
	"context"
	"database/sql"
	"net/url"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/channel"
	"parley/internal/desk/component"
	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/ground/clock"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

// waiting is the first attempt of the queue.
type waiting struct {
	attempt, message int64
	status           channel.Status
	since            clock.Time
	turn             clock.Time // on a channel that is paced; 0 before it has one
	kind             content.Kind
	source           content.Source
	text             string
	rest             []byte
	address          string // it goes there: that of the conversation in which it was written
	consent          channel.Consent
	optedOut         bool // on the channel, or in the CRM
	needsPerson      bool // a person sends it after the care window
}

// What a newer version queued, and this one cannot send, is left to workers of that
// version, for which the lane's job waits so long. When none has come for so long,
// as after a downgrade, the message fails, and the lane goes on.
const (
	untilNewer = 5 * time.Second
	mostNewer  = 15 * time.Minute
)

// pick makes the next attempt SENDING and returns it; nil when none waits, or when
// it is left to others. It settles by itself what needs no carrier: an attempt that
// hangs from a crash, and one that may not be sent any more.
func (l *lane) pick(ctx context.Context, tx *store.Tx) (*call, error) {
	for {
		w, row, a, err := l.head(ctx, tx)
		if err != nil || a == nil {
			return nil, err
		}
		ch := row.Channel()
		if w.newer(l.m, ch) && tx.Now.Sub(w.since) < mostNewer {
			l.left = untilNewer
			return nil, nil
		}
		send, to := w.judge(l.m, ch)
		if send {
			if l.rests, err = l.turn(ctx, tx, w, ch); err != nil || l.rests > 0 {
				return nil, err
			}
		}
		if err := l.m.settle(ctx, tx, row, a, to); err != nil {
			return nil, err
		}
		if to.status == channel.Unsettled {
			l.cutOff++
		}
		if send {
			return l.m.call(w, ch), nil
		}
	}
}

// head locks the conversation and reads the first attempt of the queue; nil when none
// waits.
func (l *lane) head(ctx context.Context, tx *store.Tx) (w *waiting, row *conversation.Row, a *attempt, err error) {
	if w, err = l.first(ctx, tx); err != nil || w == nil {
		return nil, nil, nil, err
	}
	if row, err = l.m.Conversations.LoadCurrent(ctx, tx, l.conversation); err != nil {
		return nil, nil, nil, err
	}
	if err := l.askMerged(ctx, tx, w, row); err != nil {
		return nil, nil, nil, err
	}
	w.needsPerson = w.source == content.Desk && channel.CapabilitiesOf(row.Channel().Type).NeedsPerson(row.LastIncoming, tx.Now)
	a, err = loadAttempt(ctx, tx, entsql.EQ("`a`.`id`", w.attempt))
	return w, row, a, err
}

// askMerged takes in the consent of whom the lane's customer was merged into, if they
// were: row is their conversation then.
func (l *lane) askMerged(ctx context.Context, tx *store.Tx, w *waiting, row *conversation.Row) error {
	if row.Key == l.conversation {
		return nil
	}
	p, err := l.m.party(ctx, tx, row)
	w.optedOut = w.optedOut || p.optedOut()
	return err
}

// newer reports whether only a newer version knows what this message, its carrier,
// its kind of channel or its customer's consent is.
func (w *waiting) newer(m *Messenger, ch *directory.Channel) bool {
	return m.contentOf(w) == nil || ch.Type == channel.OtherType || m.Providers[ch.Account.Provider] == nil || !w.consent.IsKnown()
}

// contentOf is what goes to the carrier; nil for a kind that only a newer version sends.
func (m *Messenger) contentOf(w *waiting) channel.Content {
	switch c := content.Decode(w.kind, w.text, w.rest).(type) {
	case content.TextContent:
		return channel.Text(c.Text)
	case content.ComponentContent:
		s := c.Structured()
		s.HumanAgent = w.needsPerson
		m.Renew(&s)
		component.Tokens(m.Cursors.Sealer, w.message, s.Options)
		return s
	}
	return nil
}

// judge reports whether the attempt may go to the carrier, and how it is settled
// before or instead.
func (w *waiting) judge(m *Messenger, ch *directory.Channel) (send bool, to settlement) {
	provider, newer := m.Providers[ch.Account.Provider], w.newer(m, ch)
	switch {
	case w.status == channel.Sending && (newer || !provider.TakesKey()):
		return false, settlement{status: channel.Unsettled, detail: "no answer before the server stopped"}
	case w.status == channel.Sending: // again, under the same key
		return true, settlement{status: channel.Sending}
	case w.optedOut:
		return false, settlement{status: channel.Failed, code: channel.RecipientBlocked, detail: "opted out while queued"}
	case numberProblem(ch.Type, w.address) != nil: // an earlier version read more as numbers
		return false, settlement{status: channel.Failed, code: channel.BadDestination, detail: "the address is not a number that can be messaged"}
	case !ch.IsActive || !m.online(ch):
		return false, settlement{status: channel.Failed, code: channel.ChannelCannotSend, detail: "the channel is switched off"}
	case newer:
		return false, settlement{status: channel.Failed, code: channel.CannotBeSent, detail: "no server supports sending it"}
	}
	return true, settlement{status: channel.Sending}
}

func (l *lane) first(ctx context.Context, tx *store.Tx) (w *waiting, err error) {
	a, m := entsql.Table("attempts").As("a"), entsql.Table("messages").As("m")
	c, u := entsql.Table("conversations").As("c"), entsql.Table("messaging_users").As("u")
	r := entsql.Table("records").As("r")
	q := tx.Builder().Select(a.C("id"), a.C("message_id"), a.C("status"), a.C("updated_at"), a.C("turn_at"), m.C("kind"), m.C("source"), m.C("text"), m.C("rest"), c.C("address"), u.C("consent_status"), r.C("opted_out")).
		From(a).Join(m).On(a.C("message_id"), m.C("id")).
		Join(c).On(m.C("conversation_id"), c.C("id")).Join(u).On(c.C("messaging_user_id"), u.C("id")).
		LeftJoin(r).On(c.C("record_id"), r.C("id")).
		Where(entsql.And(entsql.EQ(a.C("conversation_id"), l.conversation), inLane(a))).
		OrderBy(a.C("message_id"), a.C("id")).Limit(1)
	err = tx.Query(ctx, q, func(rows *sql.Rows) error {
		w = &waiting{}
		var inCRM sql.NullBool
		err := rows.Scan(&w.attempt, &w.message, &w.status, &w.since, &w.turn, &w.kind, &w.source, &w.text, &w.rest, &w.address, &w.consent, &inCRM)
		w.optedOut = w.consent == channel.OptOut || inCRM.Bool
		return err
	})
	return w, err
}

// inLane is the condition of the partial index attempt_lane, spelled out.
func inLane(a *entsql.SelectTable) *entsql.Predicate {
	status := a.C("status")
	return entsql.P(func(b *entsql.Builder) {
		b.WriteString("(").Ident(status).WriteString(" = 'QUEUED' OR ").Ident(status).WriteString(" = 'SENDING')")
	})
}

func (m *Messenger) call(w *waiting, ch *directory.Channel) *call {
	key := m.IDs.Encode(publicid.Attempt, w.attempt)
	return &call{
		attempt: w.attempt, message: w.message, again: w.status == channel.Sending, provider: m.Providers[ch.Account.Provider], account: ch.Account.Account,
		out: channel.Outgoing{
			AttemptKey: key, From: ch.Address, To: w.address, Type: ch.Type, Content: m.contentOf(w),
			StatusURL: m.PublicURL + "/webhooks/" + ch.Account.Provider + "/" + ch.Account.Key + "?attempt=" + url.QueryEscape(key),
		},
	}
}
