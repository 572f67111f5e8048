package composer

import (
	"context"
	"strings"
	"time"

	"parley/internal/channel"
	"parley/internal/desk/administration"
	"parley/internal/desk/component"
	"parley/internal/desk/conversation"
	"parley/internal/desk/formula"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/price"
	"parley/internal/ground/publicid"
	"parley/internal/ground/viewer"
)

// Bounds of what is given to a component.
const (
	MostSlots   = 100
	MostSamples = 200
	mostLooked  = 100 // records that a condition is asked of
	workOfUnit  = 10_000
)

// PrepareInput is a component to prepare for a conversation, with its values.
type PrepareInput struct {
	ComponentID    string
	ConversationID *string
	Parameters     []*ParameterInput
	Slots          []*SlotInput
	TimeZone       *string
	Samples        []*SampleInput

	asks bool // a provider for its slots; a preview asks none
}

// ParameterInput is the value of a parameter: a text, a record or records.
type ParameterInput struct {
	Name      string
	Value     *string
	RecordID  *string
	RecordIDs []string
}

// SlotInput is a time that the customer can choose.
type SlotInput struct {
	Start           clock.Time
	DurationMinutes int
}

// SampleInput is a value in place of one that would be read.
type SampleInput struct{ Path, Value string }

// Prepared is a component that is filled in.
type Prepared struct {
	*component.Prepared

	Of    *Component
	Token string
}

// Missing are the values that it lacks.
func (p *Prepared) Missing() []*component.Missing {
	missing := make([]*component.Missing, len(p.Filled.Missing))
	for i := range p.Filled.Missing {
		missing[i] = &p.Filled.Missing[i]
	}
	return missing
}

// Prepare fills a component in for a conversation that the viewer of ctx sees: it reads
// whatever there is to read, under their rights, and freezes it.
func (s *Service) Prepare(ctx context.Context, in PrepareInput) (*Prepared, error) {
	if in.ConversationID == nil {
		return nil, fault.Input("input.conversationId", "Name the conversation.")
	}
	in.asks = true
	p, err := s.fill(ctx, in)
	if err != nil {
		return nil, err
	}
	p.Token, err = p.Seal(s.Cursors.Sealer)
	return p, err
}

// preparing is one preparation.
type preparing struct {
	*Service
	*component.Compiled
	of     *Component
	in     PrepareInput
	row    *conversation.Row // nil for samples
	locale string            // the customer's; empty if unknown
	values *component.Values
}

func (s *Service) fill(ctx context.Context, in PrepareInput) (*Prepared, error) {
	of, err := s.Get(ctx, in.ComponentID)
	if err != nil {
		return nil, fault.At("input.componentId", err)
	}
	if of.IsArchived {
		return nil, fault.New(fault.Conflict, "The component is archived. Choose another.")
	}
	design, err := s.version(ctx, s.Store.Ent, of.Key, of.Version)
	if err != nil {
		return nil, err
	}
	return s.fillIn(ctx, of, design, in)
}

// fillIn fills a component in that says what the design says.
func (s *Service) fillIn(ctx context.Context, of *Component, design *component.Design, in PrepareInput) (*Prepared, error) {
	row, user, err := s.customer(ctx, in.ConversationID)
	if err != nil {
		return nil, err
	}
	organisationZone := s.Directory.Organization().TimeZone
	locale, zone := "", organisationZone
	if user != nil && user.Locale() != nil {
		locale = *user.Locale()
	}
	if user != nil && user.TimeZone() != nil {
		zone = *user.TimeZone()
	}
	compiled, err := design.In(locale).Compile(of.kind, s.types())
	if err != nil {
		return nil, fault.New(fault.Conflict, "The component does not go with the object types any more. Ask an administrator to save it again.")
	}
	p := &preparing{Service: s, Compiled: compiled, of: of, in: in, row: row, locale: locale}
	if p.values, err = s.begin(ctx, in, zone); err != nil {
		return nil, err
	}
	p.values.Zone = zoneOf(organisationZone)
	p.conversation()
	for _, step := range []func(context.Context) error{p.images, p.parameters, p.options} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	made := &component.Prepared{
		Component: of.Key, Name: of.Name, Kind: of.kind, Version: of.Version, Agent: viewer.FromContext(ctx).AgentID,
		Until: s.Store.Clock.Now() + clock.Time(component.Keeps.Microseconds()), Filled: *compiled.Fill(p.values),
	}
	if row != nil {
		made.Conversation, made.Channel, made.LastIncoming = row.Key, row.ChannelID, row.LastIncoming
		on, program := row.Channel().Type, viewer.FromContext(ctx).IsService
		if channel.IsClosed(channel.CapabilitiesOf(on).Window(program), row.LastIncoming, s.Store.Clock.Now()) {
			made.ClosedOn = on
		}
	}
	return &Prepared{Prepared: made, Of: of}, nil
}

// images are the images of the file store that the texts use, in one statement, with
// addresses for customers.
func (p *preparing) images(ctx context.Context) (err error) {
	p.values.Images, err = p.Pictures.Sent(ctx, p.Compiled.Images())
	return err
}

// customer finds the conversation, as far as the viewer of ctx sees it, and its customer,
// nil for nobody whom they see.
func (s *Service) customer(ctx context.Context, id *string) (*conversation.Row, *conversation.MessagingUser, error) {
	if id == nil {
		return nil, nil, nil
	}
	key, _ := s.IDs.Decode(publicid.Conversation, *id)
	rows, err := s.Conversations.ByKey(ctx, []int64{key})
	if err != nil {
		return nil, nil, err
	}
	row := rows[key]
	if row == nil {
		return nil, nil, fault.At("input.conversationId", fault.Missing("conversation"))
	}
	users, err := s.Conversations.Users(ctx, []int64{row.MessagingUserID})
	return row, users[row.MessagingUserID], err
}

// zoneOf is the zone with a name, UTC for one that only a newer version knows.
func zoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

// begin is the time of a preparation, and the zone of slots, the given one or else that of a
// name.
func (s *Service) begin(ctx context.Context, in PrepareInput, name string) (*component.Values, error) {
	if in.TimeZone != nil {
		if err := administration.CheckTimeZone("input.timeZone", *in.TimeZone); err != nil {
			return nil, err
		}
		name = *in.TimeZone
	}
	switch {
	case len(in.Parameters) > component.MostParameters:
		return nil, fault.Input("input.parameters", "Give at most %d, not %d.", component.MostParameters, len(in.Parameters))
	case len(in.Slots) > MostSlots:
		return nil, fault.Input("input.slots", "Give at most %d, not %d.", MostSlots, len(in.Slots))
	case len(in.Samples) > MostSamples:
		return nil, fault.Input("input.samples", "Give at most %d, not %d.", MostSamples, len(in.Samples))
	case len(in.Samples) > 0 && in.ConversationID != nil:
		return nil, fault.Input("input.samples", "Samples stand for a customer. Leave them out, or the conversation.")
	}
	return &component.Values{
		Parameters: map[string]formula.Value{}, Now: s.Store.Clock.Now().Std(), SlotZone: zoneOf(name), Rates: s.Directory.Rates(),
		Charge: func(work int) { price.Charge(ctx, work/workOfUnit) },
	}, nil
}

func (p *preparing) miss(path string, reason component.Reason) {
	p.values.Missing = append(p.values.Missing, component.Missing{Path: path, Reason: reason})
}

// put keeps the value of a path.
func (p *preparing) put(path string, v formula.Value) {
	p.values.Parameters[strings.ToLower(path)] = v
}
