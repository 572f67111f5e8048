package message

import (
	"cmp"
	"context"

	"parley/internal/desk/administration"
	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/ground/fault"
	"parley/internal/ground/number"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

// StartInput is a conversation to start, with a record or a number. What older callers do
// not know is left out of what a repeat is recognised by, when it is not given.
type StartInput struct {
	ChannelID        string
	RecordID, Number *string
	PhoneField       *string `json:",omitempty"` // of the record; nil for the first that serves
	Country          *string `json:",omitempty"` // of a national number; nil for the sender's
	Name             *string `json:",omitempty"` // of the customer of a number, if none is known
	Topic            *string `json:",omitempty"` // of the conversation; nil leaves it
	Text             string
	IdempotencyKey   string
}

// check cleans what goes with a record or a number, and refuses what does not.
func (in *StartInput) check() (err error) {
	switch {
	case (in.RecordID == nil) == (in.Number == nil):
		return fault.Input("input.number", "Give either recordId or number, not both.")
	case in.PhoneField != nil && in.RecordID == nil:
		return fault.Input("input.phoneField", "A phone field is one of a record: give recordId too, or leave it out.")
	case in.Country != nil && in.Number == nil:
		return fault.Input("input.country", "A country goes with a number: give number too, or leave it out.")
	case in.Name != nil && in.Number == nil:
		return fault.Input("input.name", "A record has its own name: leave the name out.")
	}
	if in.Country != nil {
		if *in.Country, err = administration.CleanCountry("input.country", *in.Country); err != nil {
			return err
		}
	}
	if in.Topic != nil {
		topic, err := conversation.CleanTopic("input.topic", in.Topic)
		if in.Topic = &topic; err != nil {
			return err
		}
	}
	return administration.CleanNameIn("input.name", &in.Name)
}

// Start queues a text to a record or a number from a sender ID of the viewer's.
// A refusal is a *RefusedError.
func (m *Messenger) Start(ctx context.Context, in StartInput) (Sent, error) {
	text, err := checkText(in.Text, in.IdempotencyKey)
	if err != nil {
		return Sent{}, err
	}
	ch, err := m.senderID(in.ChannelID)
	if err != nil {
		return Sent{}, err
	}
	if err := in.check(); err != nil {
		return Sent{}, err
	}
	record, err := m.record(ctx, in.RecordID)
	if err != nil {
		return Sent{}, err
	}
	return m.write(ctx, "startConversation", in.IdempotencyKey, in, func(ctx context.Context, tx *store.Tx) (Sent, error) {
		return m.start(ctx, tx, ch, record, in, text)
	}, m.Sends, m.Starts)
}

func (m *Messenger) senderID(id string) (*directory.Channel, error) {
	key, ok := m.IDs.Decode(publicid.Channel, id)
	ch := m.Directory.Channel(key)
	if !ok || ch == nil {
		return nil, &fault.Error{Code: fault.NotFound, Field: "input.channelId", Message: "No such channel."}
	}
	return ch, nil
}

func (m *Messenger) record(ctx context.Context, id *string) (*conversation.Record, error) {
	if id == nil {
		return nil, nil
	}
	key, ok := m.IDs.Decode(publicid.Record, *id)
	if !ok {
		return nil, noSuchRecord()
	}
	records, err := m.Conversations.Records(ctx, []int64{key})
	if err == nil && records[key] == nil {
		err = noSuchRecord()
	}
	return records[key], err
}

func noSuchRecord() error {
	return &fault.Error{Code: fault.NotFound, Field: "input.recordId", Message: "No such record, or you may not see it."}
}

func (m *Messenger) start(ctx context.Context, tx *store.Tx, ch *directory.Channel, record *conversation.Record, in StartInput, text string) (Sent, error) {
	customer := conversation.Customer{Record: record}
	var from source
	if record != nil {
		var err error
		if record, err = m.Conversations.Again(ctx, tx, record); err != nil {
			return Sent{}, err
		}
		if record == nil {
			return Sent{}, noSuchRecord()
		}
		if from, err = m.numberOf(ctx, tx, ch, record, in.PhoneField); err != nil {
			return Sent{}, err
		}
		customer.Record, customer.Name, customer.NamedBy = record, record.Name, conversation.NamedByRecord
	} else {
		from = source{written: *in.Number, region: value(in.Country)}
		customer.Name, customer.NamedBy = value(in.Name), conversation.NamedByAgent
	}
	start := m.startPlan(ctx, ch, &text)
	start.FieldHidden, start.FieldElsewhere = from.hidden, from.elsewhere
	to, problem := number.Read(from.written, cmp.Or(from.region, ch.Country), number.Person)
	customer.Address, customer.Received, customer.Country = to.E164, from.written, to.Country
	if problem != nil || !start.Member {
		// There is nobody to make, or nobody that the viewer may learn about.
		start.Number, start.NumberValid, start.NumberProblem = cmp.Or(to.E164, from.written), problem == nil, problem
		if record != nil {
			start.RecordOptedOut, start.OptOutHidden = record.OptedOut, m.hidesOptOut(ctx, record.ObjectType, record.OptedOut)
		}
		return Sent{}, &RefusedError{Judge(start).Refusals}
	}
	row, user, err := m.Conversations.Ensure(ctx, tx, ch.Key, customer)
	if err != nil {
		return Sent{}, err
	}
	party := &party{user: *user, recordOptedOut: record != nil && record.OptedOut}
	p := m.plan(ctx, row, party, &text)
	p.Starts, p.MayStart, p.Member = true, start.MayStart, start.Member
	if record != nil { // the conversation may be there, and of another record or of none
		p.OptOutHidden = m.hidesOptOut(ctx, record.ObjectType, record.OptedOut)
	}
	return m.queue(ctx, tx, row, p, order{key: in.IdempotencyKey, anchor: record, topic: in.Topic, read: row.InboundCount})
}
