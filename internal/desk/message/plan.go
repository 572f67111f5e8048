package message

import (
	"cmp"
	"context"
	"database/sql"
	"unicode/utf8"

	"parley/internal/channel"
	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/ground/fault"
	"parley/internal/ground/number"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// party is the customer's side of a plan.
type party struct {
	user           conversation.MessagingUser
	recordOptedOut bool
}

// Sendability answers whether the viewer of ctx could send in the conversation
// now, with the reasons that lie in the draft, or in the component that was prepared, when
// there is one.
func (m *Messenger) Sendability(ctx context.Context, row *conversation.Row, draft, component *string) (*Sendability, error) {
	if draft != nil && component != nil {
		return nil, fault.Input("component", "Give either draft or component, not both.")
	}
	if draft != nil && utf8.RuneCountInString(*draft) > MostText {
		return nil, fault.Input("draft", "A draft may have at most %d characters.", MostText)
	}
	if draft != nil {
		clean := channel.CleanText(*draft) // as it would be sent
		draft = &clean
	}
	asked := row.Key
	row, err := m.Conversations.Current(ctx, row)
	if err != nil {
		return nil, err
	}
	c := &party{}
	if err := m.Store.Read(ctx, inHand, partyOf(row), c.scan); err != nil {
		return nil, err
	}
	p := m.plan(ctx, row, c, draft)
	if component != nil {
		if err := m.withComponent(ctx, &p, "component", *component, asked, row.Channel()); err != nil {
			return nil, err
		}
	}
	return Judge(p), nil
}

func (m *Messenger) party(ctx context.Context, tx *store.Tx, row *conversation.Row) (*party, error) {
	p := &party{}
	return p, tx.Query(ctx, partyOf(row), p.scan)
}

func (p *party) optedOut() bool { return p.recordOptedOut || p.user.ConsentStatus == channel.OptOut }

func (p *party) scan(rows *sql.Rows) error {
	var optedOut sql.NullBool
	err := rows.Scan(&p.user.Address, &p.user.ConsentStatus, &optedOut)
	p.recordOptedOut = optedOut.Bool
	return err
}

func partyOf(row *conversation.Row) store.Query {
	return readParty.With(row.RecordID, row.MessagingUserID)
}

var readParty = store.Fixed(`SELECT u.address, u.consent_status, r.opted_out
	FROM messaging_users AS u LEFT JOIN records AS r ON r.id = ? WHERE u.id = ?`)

// plan gathers what decides a send in a conversation.
func (m *Messenger) plan(ctx context.Context, row *conversation.Row, c *party, text *string) Plan {
	p := m.senderPlan(ctx, row.Channel(), text)
	p.Number, p.FieldHidden = c.user.Address, m.hides(ctx, row)
	p.NumberProblem = numberProblem(p.ChannelType, p.Number)
	p.NumberValid = p.NumberProblem == nil
	p.Consent, p.LastIncoming = c.user.ConsentStatus, row.LastIncoming
	p.RecordOptedOut, p.OptOutHidden = c.recordOptedOut, m.hidesOptOut(ctx, row.Type, c.recordOptedOut)
	return p
}

// numberProblem is why a customer's address, as it is stored, cannot be messaged on a
// channel of type t; nil when it can. Numbers were brought to E.164 when they came in.
func numberProblem(t channel.Type, address string) error {
	if !t.IsSMS() {
		return nil
	}
	_, err := number.Read(address, "", number.Carrier)
	return err
}

// startPlan gathers what decides the start of a conversation, the customer apart.
func (m *Messenger) startPlan(ctx context.Context, ch *directory.Channel, text *string) Plan {
	v := viewer.FromContext(ctx)
	p := m.senderPlan(ctx, ch, text)
	p.Starts, p.MayStart, p.Member = true, v.Can(viewer.AgentInitiatedOutbound), v.HasChannel(ch.Key)
	return p
}

func (m *Messenger) senderPlan(ctx context.Context, ch *directory.Channel, text *string) Plan {
	v := viewer.FromContext(ctx)
	return Plan{
		Licensed: v.Licensed, MaySend: v.Can(viewer.MessagingAgent), Program: v.IsService,
		ChannelType: ch.Type, ChannelActive: ch.IsActive, AccountActive: m.online(ch), Header: channel.HeaderOf(m.Providers[ch.Account.Provider]),
		SenderAddress: ch.Address, SenderCountry: cmp.Or(ch.Country, number.Country(ch.Address)), Required: ch.Required, Now: m.Store.Clock.Now(), Text: text,
	}
}

// online reports whether the channel's account can send, and its provider and kind are
// known.
func (m *Messenger) online(ch *directory.Channel) bool {
	return ch.Account.CanSend() && m.Providers[ch.Account.Provider] != nil && ch.Type != channel.OtherType
}
