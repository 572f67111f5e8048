package component

import (
	"encoding/json"
	"slices"
	"time"

	"parley/internal/channel"
	"parley/internal/ground/clock"
	"parley/internal/ground/cursor"
	"parley/internal/ground/fault"
)

// Keeps is how long what was prepared can be sent.
const Keeps = 10 * time.Minute

// MostPrepared bounds what a token holds, and MostToken a token, in bytes.
const (
	MostPrepared = 96 * 1024
	MostToken    = MostPrepared*4/3 + 100
)

const sealed cursor.Kind = "prepared component"

// Prepared is a component that was filled in for a customer. Its token holds all of it,
// sealed: nobody can read or change it, and no row stands for it.
type Prepared struct {
	Component    int64      `json:"component"`
	Name         string     `json:"name"`
	Kind         Kind       `json:"kind"`
	Version      int        `json:"version"`
	Conversation int64      `json:"conversation"`
	Agent        int64      `json:"agent"` // who prepared it, and alone may use it
	Until        clock.Time `json:"until"`
	// Channel and LastIncoming are the conversation's; 0 for samples.
	Channel      int64      `json:"channel,omitempty"`
	LastIncoming clock.Time `json:"lastIncoming,omitempty"`
	// ClosedOn is the type of the conversation's channel if its reply window was closed.
	ClosedOn channel.Type `json:"closedOn,omitempty"`
	Filled
}

// Seal returns the token.
func (p *Prepared) Seal(s *cursor.Sealer) (string, error) {
	plain, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	if n := len(plain); n > MostPrepared {
		return "", fault.Input("input", "The component takes %d bytes when it is filled in, and at most %d are allowed. Shorten its texts.", n, MostPrepared)
	}
	return s.SealBytes(sealed, plain), nil
}

// Open reads a token that an agent got for a conversation. The fault is of a field.
func Open(s *cursor.Sealer, field, token string, conversation, agent int64, now clock.Time) (*Prepared, error) {
	if n := len(token); n > MostToken {
		return nil, fault.Input(field, "A token has at most %d characters, not %d.", MostToken, n)
	}
	plain, ok := s.OpenBytes(sealed, token)
	p := &Prepared{}
	if !ok || json.Unmarshal(plain, p) != nil || p.Agent != agent || p.Conversation != conversation || conversation == 0 {
		return nil, fault.Input(field, "This token is not one that prepareComponent gave you for this conversation. Prepare the component again.")
	}
	if now > p.Until {
		return nil, fault.Input(field, "The component was prepared more than %d minutes ago. Prepare it again.", Keeps/time.Minute)
	}
	return p, nil
}

// All are the formats with their options; times say when they begin, and how long they take.
func (p *Prepared) All() []channel.Structured {
	all := p.Filled.All()
	if p.Kind != TimeSelector {
		return all
	}
	for i := range all {
		for j := range all[i].Options {
			o, of := &all[i].Options[j], &p.Options[j]
			o.StartsAt = (*clock.Time)(&of.Value)
			if of.Minutes > 0 { // a token of an older version has none
				o.DurationMinutes = &of.Minutes
			}
		}
	}
	return all
}

// IsOver reports whether it offers times and each of them has begun.
func (p *Prepared) IsOver(now clock.Time) bool {
	isAhead := func(o Option) bool { return clock.Time(o.Value) > now }
	return p.Kind == TimeSelector && len(p.Options) > 0 && !slices.ContainsFunc(p.Options, isAhead)
}

// Choose picks what channels of a type show of it.
func (p *Prepared) Choose(on channel.Type, header channel.Header) Choice {
	return Choose(channel.CapabilitiesOf(on), header, on == p.ClosedOn, p.Kind, p.All())
}
