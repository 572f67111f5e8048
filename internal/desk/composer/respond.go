package composer

import (
	"context"
	"strings"

	"parley/ent"
	"parley/internal/desk/action"
	"parley/internal/desk/component"
	"parley/internal/desk/conversation"
	"parley/internal/desk/formula"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/viewer"
)

// Respond fills in what a channel says by itself in a conversation, with the rights of ctx.
// It is of no component if it is a text.
func (s *Service) Respond(ctx context.Context, row *conversation.Row, r *component.Response) (*component.Prepared, error) {
	id := row.ID()
	in := PrepareInput{ConversationID: &id, Parameters: given(r)}
	var p *Prepared
	var err error
	if r.Text != nil {
		p, err = s.fillIn(ctx, &Component{kind: component.AutoResponse}, component.Saying(*r.Text), in)
	} else {
		in.ComponentID = *r.ComponentID
		p, err = s.fill(ctx, in)
	}
	if err != nil {
		return nil, err
	}
	return p.Prepared, nil
}

func given(r *component.Response) (values []*ParameterInput) {
	for i := range r.Parameters {
		v := &r.Parameters[i]
		values = append(values, &ParameterInput{Name: v.Name, Value: &v.Value})
	}
	return values
}

// CheckResponse refuses a component that a channel cannot say by itself, or that reads what
// the viewer of ctx may not read: it is filled in with all rights. at is the field of the
// input.
func (s *Service) CheckResponse(ctx context.Context, at string, r *component.Response) error {
	of, err := s.Get(ctx, *r.ComponentID)
	if err != nil {
		return fault.At(at+".componentId", err)
	}
	if of.kind != component.AutoResponse || of.IsArchived {
		return fault.Input(at+".componentId", "Choose a component of kind AUTO_RESPONSE that is not archived.")
	}
	design, err := s.version(ctx, s.Store.Ent, of.Key, of.Version)
	if err != nil {
		return err
	}
	compiled, err := design.Compile(of.kind, s.types())
	if err != nil {
		return fault.Input(at+".componentId", "The component does not go with the object types any more. Save it again first.")
	}
	if err := s.suits(compiled, r); err != nil {
		return fault.At(at+".parameters", err)
	}
	return s.within(ctx, compiled)
}

// suits refuses a response whose parameters are not those of the component.
func (s *Service) suits(compiled *component.Compiled, r *component.Response) error {
	p := &preparing{Service: s, Compiled: compiled, in: PrepareInput{Parameters: given(r)}, values: &component.Values{Parameters: map[string]formula.Value{}}}
	if err := p.check(); err != nil {
		return err
	}
	for i := range compiled.Parameters {
		if d := &compiled.Parameters[i]; d.Type != formula.Record && !d.Optional && p.given(d) == nil {
			return fault.Input("input.parameters", "The component needs a value for %s. Give it.", d.Name)
		}
	}
	return nil
}

// within refuses texts that read what the viewer of ctx may not read.
func (s *Service) within(ctx context.Context, c *component.Compiled) error {
	rights := s.Directory.RecordRights(viewer.FromContext(ctx))
	for _, path := range c.Paths() {
		name, field, deep := strings.Cut(path[len("$Parameters."):], ".")
		d := c.Parameter(name)
		if deep && !action.PathOf(field).Readable(s.Directory.Definition, rights, d.ObjectType) {
			return fault.New(fault.Forbidden, "The component reads fields that you may not read, and what is sent by itself reads all. Ask somebody who may, or leave them out.")
		}
	}
	return nil
}

// said is what a channel says by itself with a component.
type said struct {
	channel  string
	response *component.Response
}

// said are those of a component.
func (s *Service) said(id string) (found []said) {
	for _, ch := range s.Directory.Channels() {
		for i, r := range ch.AutoResponses() {
			if r.ComponentID != nil && *r.ComponentID == id {
				found = append(found, said{ch.Name, &ch.AutoResponses()[i]})
			}
		}
	}
	return found
}

// unsaid refuses to take away a component that a channel says by itself.
func (s *Service) unsaid(id string) error {
	if found := s.said(id); len(found) > 0 {
		return fault.New(fault.Conflict, "The channel %s sends this component by itself. Take it out of the channel's autoResponses first.", found[0].channel)
	}
	return nil
}

// stillSaid refuses a design, which was checked, with which channels could not go on saying
// the component.
func (s *Service) stillSaid(row *ent.Component, d *component.Design) error {
	found := s.said(s.IDs.Encode(publicid.Component, row.ID))
	if len(found) == 0 {
		return nil
	}
	compiled, err := d.Compile(component.Kind(row.Kind), s.types())
	if err != nil {
		return err
	}
	for _, by := range found {
		if s.suits(compiled, by.response) != nil {
			return fault.New(fault.Conflict, "The channel %s sends this component by itself, with other parameters. Make new ones optional and keep the rest, or take it out of the channel's autoResponses first.", by.channel)
		}
	}
	return nil
}

// conversation makes the fields of the conversation values.
func (p *preparing) conversation() {
	if p.row == nil {
		return
	}
	token := component.CustomerToken(p.Cursors.Sealer, p.row.Key, p.of.Key, p.Store.Clock.Now().Add(component.TokenKeeps))
	values := map[string]string{"Name": p.row.Name(), "Address": p.row.Address, "Token": token}
	if ch := p.row.Channel(); ch != nil {
		values["ChannelName"], values["ChannelAddress"] = ch.Name, ch.Address
	}
	for name, text := range values {
		p.values.Parameters[component.ConversationField(name)] = formula.TextOf(text)
	}
}

// CustomerToken is what a token names that a customer brought back.
type CustomerToken struct {
	Conversation *conversation.Row
	ComponentID  *string // of what brought it; nil for a text
	Until        clock.Time
}

const mostCustomerToken = 200 // characters

// ReadToken reads a token that a customer brought back, of a conversation that the viewer of
// ctx sees.
func (s *Service) ReadToken(ctx context.Context, token string) (*CustomerToken, error) {
	key, of, until, ok := component.ReadCustomerToken(s.Cursors.Sealer, token[:min(len(token), mostCustomerToken)])
	if !ok {
		return nil, fault.Input("token", "This token is not one that a customer got. Pass the value of $Conversation.Token from the address, unchanged.")
	}
	if s.Store.Clock.Now() > until {
		return nil, fault.Input("token", "The token is older than %d days. Send the customer another.", component.TokenKeeps/(24*3600*1e9))
	}
	rows, err := s.Conversations.ByKey(ctx, []int64{key})
	if err != nil {
		return nil, err
	}
	read := &CustomerToken{Conversation: rows[key], Until: until}
	if read.Conversation == nil {
		return nil, fault.Missing("conversation")
	}
	if of != 0 {
		id := s.IDs.Encode(publicid.Component, of)
		read.ComponentID = &id
	}
	return read, nil
}
