// Package customer is the administration of messaging users: adding them before they
// write, naming them, and recording by hand what they agreed to.
//
// Who writes in, or is written to, becomes a messaging user by themselves (package
// conversation). A customer who is added here has no conversation until the first
// message.
package customer

import (
	"context"
	"strings"
	"unicode/utf8"

	"parley/ent"
	"parley/ent/consententry"
	"parley/ent/messaginguser"
	"parley/internal/channel"
	"parley/internal/desk/administration"
	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/desk/journal"
	"parley/internal/desk/message"
	"parley/internal/desk/rule"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/idempotency"
	"parley/internal/ground/number"
	"parley/internal/ground/publicid"
	"parley/internal/ground/quota"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Bounds, in characters.
const (
	mostName     = 200
	mostAddress  = 200
	mostExternal = 200
	mostReason   = 500
)

// Service has the use cases. All fields are required but Creates.
type Service struct {
	Store         *store.Store
	Directory     *directory.Directory
	IDs           *publicid.Codec
	Cursors       *feed.Cursors
	Conversations *conversation.Service
	Messenger     *message.Messenger
	Creates       *quota.Quota // how many customers an agent may create; nil for any
}

// CreateInput is a customer to add.
type CreateInput struct {
	ChannelID      string
	Address        string
	Name           *string
	Locale         *string
	TimeZone       *string `json:",omitempty"` // left out of an older request's hash
	ExternalID     *string
	IdempotencyKey string
}

// UpdateInput is what changes of a customer; a nil field stays as it is.
type UpdateInput struct {
	ID         string
	Name       *string
	Locale     *string
	TimeZone   *string
	ExternalID *string
}

// SetConsentInput is a consent to record.
type SetConsentInput struct {
	ID     string
	Status channel.Consent
	Reason string
}

// details are what people say of a customer; a nil field says nothing.
type details struct {
	name, locale, timeZone, externalID *string
	by                                 conversation.NameSource // of the name
}

// nameSource is the source of the name, nil when nothing is said of it.
func (d *details) nameSource() *string {
	if d.name == nil {
		return nil
	}
	by := string(d.by.Of(*d.name))
	return &by
}

// clean makes them fit for storage.
func (d *details) clean() error {
	if d.name != nil {
		name := channel.CleanText(*d.name)
		if n := utf8.RuneCountInString(name); n > mostName {
			return fault.Input("input.name", "Use at most %d characters, not %d.", mostName, n)
		}
		if channel.IsBlank(name) {
			name = ""
		}
		d.name = &name
	}
	if d.locale != nil {
		locale, err := administration.CleanLocale("input.locale", *d.locale)
		if err != nil {
			return err
		}
		d.locale = &locale
	}
	if d.timeZone != nil && *d.timeZone != "" {
		if err := administration.CheckTimeZone("input.timeZone", *d.timeZone); err != nil {
			return err
		}
	}
	if d.externalID != nil {
		id := strings.TrimSpace(channel.CleanText(*d.externalID))
		if n := utf8.RuneCountInString(id); n > mostExternal {
			return fault.Input("input.externalId", "Use at most %d characters, not %d.", mostExternal, n)
		}
		d.externalID = &id
	}
	return nil
}

// Create adds a customer to a channel, once for an idempotency key. One who is there
// already stays as they are, and is returned.
func (s *Service) Create(ctx context.Context, in CreateInput) (*conversation.MessagingUser, error) {
	if err := idempotency.CheckKey(in.IdempotencyKey); err != nil {
		return nil, err
	}
	said := details{in.Name, in.Locale, in.TimeZone, in.ExternalID, conversation.NamedByAgent}
	if err := said.clean(); err != nil {
		return nil, err
	}
	key, _ := s.IDs.Decode(publicid.Channel, in.ChannelID)
	ch := s.Directory.Channel(key)
	if ch == nil {
		return nil, fault.At("input.channelId", fault.Missing("channel"))
	}
	if !mayAdd(viewer.FromContext(ctx), ch) {
		return nil, fault.New(fault.Forbidden, "Customers are added by the members of a sender ID, and by holders of CONFIGURE_MESSAGING. Ask an administrator.")
	}
	who, err := customerAt(ch, in.Address)
	if err != nil {
		return nil, err
	}
	var made int64
	spending := quota.Spend(ctx, s.Creates)
	err = s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		made, _, err = idempotency.Do(ctx, tx, "createMessagingUser", in.IdempotencyKey, in, func() (int64, error) {
			if err := spending.Take(); err != nil {
				return 0, err
			}
			key, _, err := s.add(ctx, tx, ch.Key, who, said)
			return key, err
		})
		return err
	})
	if err != nil {
		spending.Return()
		return nil, err
	}
	return s.reread(ctx, made)
}

// mayAdd reports whether v adds customers to a channel.
func mayAdd(v *viewer.Viewer, ch *directory.Channel) bool {
	return rule.Administers(v) || v.HasChannel(ch.Key) && v.Can(viewer.AgentInitiatedOutbound)
}

// customerAt reads the address of a customer on a channel, as people write it: a phone
// number, or an identifier of a kind that the channel has.
func customerAt(ch *directory.Channel, address string) (conversation.Customer, error) {
	id := strings.TrimSpace(channel.CleanText(address))
	if channel.KindOf(id, ch.Type) != "" {
		return conversation.Customer{Address: id, Received: address}, nil
	}
	switch ch.Type {
	case channel.Facebook, channel.FacebookEnhanced, channel.Web, channel.InApp:
		return conversation.Customer{}, fault.Input("input.address", "Give the id by which the platform knows the customer: 1 to %d characters without spaces.", mostAddress)
	}
	n, err := number.Read(address, ch.Country, number.Person)
	if err != nil {
		return conversation.Customer{}, fault.Input("input.address", "The number cannot be messaged: %s.", err)
	}
	return conversation.Customer{Address: n.E164, Received: address, Country: n.Country}, nil
}

// add finds or makes a customer, and reports whether they were made.
func (s *Service) add(ctx context.Context, tx *store.Tx, channelKey int64, who conversation.Customer, said details) (key int64, made bool, err error) {
	key, made, err = s.Conversations.EnsureUser(ctx, tx, channelKey, who)
	if err != nil || !made {
		return key, made, err
	}
	system := viewer.AsSystem(ctx, "customers")
	row, err := tx.Ent.MessagingUser.UpdateOneID(key).SetNillableName(said.name).SetNillableNameSource(said.nameSource()).SetNillableLocale(said.locale).
		SetNillableTimeZone(said.timeZone).SetNillableExternalID(said.externalID).Save(system)
	if err != nil {
		return 0, false, err
	}
	entry := journal.Entry{Action: journal.Created, SubjectType: subjectType, SubjectKey: key, SubjectName: row.Name}
	return key, true, entry.Write(ctx, tx)
}

// subjectType is what the graph and the audit call a customer.
const subjectType = "MessagingUser"

// Update changes what is known of a customer whom the viewer of ctx sees. Nothing
// happens when nothing changes.
func (s *Service) Update(ctx context.Context, in UpdateInput) (*conversation.MessagingUser, error) {
	said := details{in.Name, in.Locale, in.TimeZone, in.ExternalID, conversation.NamedByAgent}
	if err := said.clean(); err != nil {
		return nil, err
	}
	return s.change(ctx, in.ID, func(ctx context.Context, tx *store.Tx, row *ent.MessagingUser) error {
		_, err := s.update(ctx, tx, row, said)
		return err
	})
}

func (s *Service) update(ctx context.Context, tx *store.Tx, row *ent.MessagingUser, said details) (changed bool, err error) {
	entry := journal.Entry{Action: journal.Updated, SubjectType: subjectType, SubjectKey: row.ID, SubjectName: row.Name}
	entry.Compare("name", row.Name, said.name)
	entry.Compare("locale", row.Locale, said.locale)
	entry.Compare("timeZone", row.TimeZone, said.timeZone)
	entry.Compare("externalId", row.ExternalID, said.externalID)
	if len(entry.Changes) == 0 {
		return false, nil
	}
	if said.name != nil && *said.name == row.Name {
		said.name = nil // whoever gave it did
	}
	err = tx.Ent.MessagingUser.UpdateOne(row).SetNillableName(said.name).SetNillableNameSource(said.nameSource()).SetNillableLocale(said.locale).SetNillableTimeZone(said.timeZone).SetNillableExternalID(said.externalID).
		Exec(viewer.AsSystem(ctx, "customers"))
	if err != nil {
		return false, err
	}
	if said.name != nil {
		if err := s.rename(ctx, tx, row.ID, *said.name); err != nil {
			return false, err
		}
	}
	return true, entry.Write(ctx, tx)
}

// rename names the customer's conversation, unless a record of the CRM names it.
func (s *Service) rename(ctx context.Context, tx *store.Tx, user int64, name string) error {
	thread, err := s.Conversations.ThreadOf(ctx, tx, user)
	if err != nil || thread == nil || thread.RecordID != 0 {
		return err
	}
	return s.Conversations.Apply(ctx, tx, thread, func(_ context.Context, row *conversation.Row) (feed.Event, error) {
		row.Title = name
		return feed.Event{Cause: feed.ConversationChanged}, nil
	})
}

// SetConsent records what a customer agreed to, with its proof. Whoever sees a customer
// may opt them out; anything else needs CONFIGURE_MESSAGING.
func (s *Service) SetConsent(ctx context.Context, in SetConsentInput) (*conversation.MessagingUser, error) {
	v := viewer.FromContext(ctx)
	reason := channel.CleanText(in.Reason)
	switch n := utf8.RuneCountInString(reason); {
	case channel.IsBlank(reason) || n > mostReason:
		return nil, fault.Input("input.reason", "Say in 1 to %d characters how the customer agreed or refused: it is the proof.", mostReason)
	case in.Status == channel.Pending || !in.Status.IsKnown() || in.Status == "":
		return nil, fault.Input("input.status", "Use OPT_OUT, IMPLICIT_OPT_IN, EXPLICIT_OPT_IN or DOUBLE_OPT_IN.")
	}
	return s.change(ctx, in.ID, func(ctx context.Context, tx *store.Tx, row *ent.MessagingUser) error {
		if in.Status != channel.OptOut && !rule.Administers(v) {
			return fault.New(fault.Forbidden, "Recording an opt-in needs CONFIGURE_MESSAGING. You can record an opt-out; for anything else ask an administrator.")
		}
		if row.MergedInto != nil {
			return fault.New(fault.Conflict, "This customer was merged into another. Set the consent of %s.", s.IDs.Encode(publicid.MessagingUser, *row.MergedInto))
		}
		thread, err := s.Conversations.ThreadOf(ctx, tx, row.ID)
		if err != nil {
			return err
		}
		if thread != nil && thread.MergedInto != 0 { // while this waited for it
			return fault.New(fault.Conflict, "This customer was merged into another just now. Read the customer again.")
		}
		given := message.Given{Customer: row.ID, Status: in.Status, Source: message.FromAgent, Reason: reason, Agent: v.AgentID, At: tx.Now}
		changed, err := s.Messenger.GiveConsent(ctx, tx, thread, given)
		if err != nil || !changed {
			return err
		}
		entry := journal.Entry{Action: journal.Updated, SubjectType: subjectType, SubjectKey: row.ID, SubjectName: row.Name, Detail: reason}
		to := string(in.Status)
		entry.Compare("consentStatus", string(row.ConsentStatus), &to)
		return entry.Write(ctx, tx)
	})
}

// change changes a customer whom the viewer of ctx sees.
func (s *Service) change(ctx context.Context, id string, do func(context.Context, *store.Tx, *ent.MessagingUser) error) (*conversation.MessagingUser, error) {
	key, _ := s.IDs.Decode(publicid.MessagingUser, id)
	err := s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		row, err := tx.Ent.MessagingUser.Query().Where(messaginguser.ID(key)).Only(ctx)
		if ent.IsNotFound(err) {
			return fault.At("input.id", fault.Missing("messaging user"))
		}
		if err != nil {
			return err
		}
		return do(ctx, tx, row)
	})
	if err != nil {
		return nil, err
	}
	return s.reread(ctx, key)
}

func (s *Service) reread(ctx context.Context, key int64) (*conversation.MessagingUser, error) {
	users, err := s.Conversations.Users(ctx, []int64{key})
	if err == nil && users[key] == nil {
		err = fault.Missing("messaging user")
	}
	return users[key], err
}

// Consent is an entry of a customer's consent history.
type Consent struct {
	StoredStatus channel.Consent
	StoredSource message.ConsentSource
	Reason       string
	Agent        *directory.Agent // who recorded it; nil for the system
	At           clock.Time
}

// Status is the status that was given, as the graph shows it.
func (c *Consent) Status() channel.Consent { return c.StoredStatus.Given() }

// Source is who brought it.
func (c *Consent) Source() message.ConsentSource { return c.StoredSource.Known() }

// mostHistory is how many entries are read of each customer.
const mostHistory = 100

// History reads the newest entries of each customer's consent history, newest first, in
// one statement. Whoever may read a messaging user may read it.
func (s *Service) History(ctx context.Context, users []*conversation.MessagingUser) ([][]*Consent, error) {
	keys := make([]int64, len(users))
	for i, u := range users {
		keys[i] = u.Key
	}
	rows, err := s.Store.Ent.ConsentEntry.Query().Where(consententry.MessagingUserIDIn(keys...)).
		Order(ent.Desc(consententry.FieldID)).Limit(mostHistory * len(users)).All(viewer.AsSystem(ctx, "edge"))
	if err != nil {
		return nil, err
	}
	found := make(map[int64][]*Consent, len(users))
	for _, r := range rows {
		if of := found[r.MessagingUserID]; len(of) < mostHistory {
			found[r.MessagingUserID] = append(of, &Consent{r.Status, message.ConsentSource(r.Source), r.Reason, s.Directory.Agent(r.ActorID), r.GivenAt})
		}
	}
	out := make([][]*Consent, len(users))
	for i, u := range users {
		out[i] = append([]*Consent{}, found[u.Key]...)
	}
	return out, nil
}
