package composer

import (
	"context"
	"fmt"
	"slices"

	"parley/internal/channel"
	"parley/internal/channel/platform"
	"parley/internal/desk/component"
	"parley/internal/desk/content"
	"parley/internal/desk/directory"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/viewer"
)

// PreviewInput is a component to look at: one that was prepared, or with its values.
type PreviewInput struct {
	PrepareInput
	Component    *string // token of one that was prepared
	ChannelTypes []channel.Type
}

// Preview is how channels of a type show a component.
type Preview struct {
	ChannelType channel.Type
	Format      *channel.Format // nil if it cannot be sent
	Shape       content.Shape   // nil if it cannot be sent
	Text        string
	Payload     *string // nil where there is no document
	Rejected    []*Rejected
	Missing     []*component.Missing
}

// Rejected is a format that was not chosen, and why.
type Rejected struct {
	Format  channel.Format
	Reasons []*channel.Misfit
}

// mostTypes bounds the types of channels of a preview: all that there are.
const mostTypes = 20

// somebody is the address in a document that no customer is to get.
const somebody = "customer"

// Preview shows how a component looks on channels, and the documents that would be sent: on
// the conversation's type of channel those that its carrier gets. Nothing is stored, sent or
// told. Tokens in the documents are not those that are sent.
func (s *Service) Preview(ctx context.Context, in PreviewInput) ([]*Preview, error) {
	if n := len(in.ChannelTypes); n < 1 || n > mostTypes {
		return nil, fault.Input("input.channelTypes", "Name 1 to %d types of channels, not %d.", mostTypes, n)
	}
	p, err := s.prepared(ctx, in)
	if err != nil {
		return nil, err
	}
	previews := make([]*Preview, len(in.ChannelTypes))
	for i, t := range in.ChannelTypes {
		if previews[i], err = s.preview(ctx, p, t); err != nil {
			return nil, err
		}
	}
	return previews, nil
}

func (s *Service) prepared(ctx context.Context, in PreviewInput) (*component.Prepared, error) {
	if in.Component == nil {
		if in.ComponentID == "" {
			return nil, fault.Input("input.componentId", "Name the component, or pass one that was prepared.")
		}
		p, err := s.fill(ctx, in.PrepareInput)
		if err != nil {
			return nil, err
		}
		return p.Prepared, nil
	}
	if in.ConversationID == nil {
		return nil, fault.Input("input.conversationId", "Name the conversation that the component was prepared for.")
	}
	key, _ := s.IDs.Decode(publicid.Conversation, *in.ConversationID)
	return component.Open(s.Cursors.Sealer, "input.component", *in.Component, key, viewer.FromContext(ctx).AgentID, s.Store.Clock.Now())
}

func (s *Service) preview(ctx context.Context, p *component.Prepared, t channel.Type) (*Preview, error) {
	var carrier channel.Provider
	from := s.Directory.Channel(p.Channel)
	if from != nil && from.Type == t {
		carrier = s.Providers[from.Account.Provider]
	}
	choice := p.Choose(t, channel.HeaderOf(carrier))
	out := &Preview{ChannelType: t, Text: p.Formats[0].Plain, Rejected: []*Rejected{}, Missing: []*component.Missing{}}
	for _, r := range choice.Rejected {
		rejected := &Rejected{Format: r.Format, Reasons: make([]*channel.Misfit, len(r.Misfits))}
		for i := range r.Misfits {
			rejected.Reasons[i] = &r.Misfits[i]
		}
		out.Rejected = append(out.Rejected, rejected)
	}
	for i := range p.Missing {
		out.Missing = append(out.Missing, &p.Missing[i])
	}
	if choice.Chosen == nil {
		return out, nil
	}
	chosen := *choice.Chosen
	chosen.Options = slices.Clone(chosen.Options)
	for i := range chosen.Options {
		chosen.Options[i].Token = fmt.Sprintf("option-%d", i+1)
	}
	chosen.HumanAgent = carrier != nil && !viewer.FromContext(ctx).IsService && channel.CapabilitiesOf(t).NeedsPerson(p.LastIncoming, s.Store.Clock.Now())
	out.Format, out.Shape = &chosen.Format, content.ShapeOf(chosen)
	text, err := document(carrier, from, t, chosen)
	if text != "" {
		out.Payload = &text
	}
	return out, err
}

// document is what the carrier of a channel gets, or else the platform.
func document(carrier channel.Provider, from *directory.Channel, t channel.Type, s channel.Structured) (string, error) {
	if own, is := carrier.(channel.Documenter); is {
		return own.Document(from.Address, somebody, s), nil
	}
	document, err := platform.Encode(t, somebody, s)
	return string(document), err
}
