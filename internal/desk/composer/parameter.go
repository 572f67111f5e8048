package composer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"parley/internal/channel"
	"parley/internal/desk/component"
	"parley/internal/desk/conversation"
	"parley/internal/desk/formula"
	"parley/internal/desk/formula/trial"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
)

// parameters reads what is given, and the fields that the component's texts use.
func (p *preparing) parameters(ctx context.Context) error {
	if err := p.check(); err != nil {
		return err
	}
	if err := p.sample(); err != nil {
		return err
	}
	records, err := p.records(ctx)
	if err != nil {
		return err
	}
	var wants []*want
	for i := range p.Parameters {
		d := &p.Parameters[i]
		prefix := "$Parameters." + d.Name
		switch {
		case d.Type == formula.Record:
			at, reason := p.recordOf(d, records)
			for _, path := range p.Paths() {
				rest, ok := cutFold(path, prefix+".")
				switch {
				case !ok:
				case p.has(path):
				case at != nil:
					wants = append(wants, p.wantOf(path, at, rest))
				case reason != "":
					p.miss(path, reason)
				}
			}
		case d.Type != formula.List && !d.Optional && !p.has(prefix) && slices.Contains(p.Paths(), prefix):
			p.miss(prefix, component.NotGiven)
		}
	}
	return p.load(ctx, wants)
}

func (p *preparing) wantOf(path string, at *conversation.Record, rest string) *want {
	return &want{
		at: at, path: strings.Split(rest, "."),
		found: func(v formula.Value) { p.put(path, v) }, lacks: func(reason component.Reason) { p.miss(path, reason) },
	}
}

func (p *preparing) has(path string) bool {
	_, has := p.values.Parameters[strings.ToLower(path)]
	return has
}

// cutFold is what follows a prefix, whatever its case.
func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

// check refuses values that are of no parameter, and reads those that are texts.
func (p *preparing) check() error {
	for i, given := range p.in.Parameters {
		at := fmt.Sprintf("input.parameters.%d", i)
		d := p.Parameter(given.Name)
		switch {
		case d == nil:
			return fault.Input(at+".name", "The component has no parameter %q. Its design lists them.", shortened(given.Name))
		case p.given(d) != given:
			return fault.Input(at+".name", "%s is there twice. Give it once.", d.Name)
		case d.Type != formula.Record && given.RecordID != nil:
			return fault.Input(at+".recordId", "%s is no RECORD. Leave it out.", d.Name)
		case d.Type != formula.List && len(given.RecordIDs) > 0:
			return fault.Input(at+".recordIds", "%s is no LIST. Leave them out.", d.Name)
		case len(given.RecordIDs) > component.MostOptions:
			return fault.Input(at+".recordIds", "Give at most %d, not %d.", component.MostOptions, len(given.RecordIDs))
		case given.Value == nil:
			continue
		case d.Type == formula.Record || d.Type == formula.List:
			return fault.Input(at+".value", "%s is a %s: give the ids of records.", d.Name, d.Type)
		}
		v, err := read(at+".value", d.Type, *given.Value)
		if err != nil {
			return err
		}
		p.put("$Parameters."+d.Name, v)
	}
	return nil
}

func shortened(s string) string { return channel.Cut(channel.CleanText(s), component.MostName) }

func read(at string, t formula.Type, text string) (formula.Value, error) {
	if n := utf8.RuneCountInString(text); n > component.MostText {
		return formula.Value{}, fault.Input(at, "Use at most %d characters, not %d.", component.MostText, n)
	}
	v, err := trial.Read(t, channel.CleanText(text))
	if err != nil {
		return v, fault.Input(at, "This is not a %s: %v.", t, err)
	}
	return v, nil
}

func (p *preparing) given(d *component.Parameter) *ParameterInput {
	i := slices.IndexFunc(p.in.Parameters, func(g *ParameterInput) bool { return strings.EqualFold(g.Name, d.Name) })
	if i < 0 {
		return nil
	}
	return p.in.Parameters[i]
}

// sample takes values in place of those that would be read.
func (p *preparing) sample() error {
	for i, s := range p.in.Samples {
		at := fmt.Sprintf("input.samples.%d", i)
		f, ok := p.Field(p.types(), s.Path)
		_, isParameter := cutFold(s.Path, "$Parameters.")
		_, isConversation := cutFold(s.Path, "$Conversation.")
		if !ok || !isParameter && !isConversation {
			return fault.Input(at+".path", "The component has no field %q. Name one as its texts do, such as $Parameters.Order.Total.", shortened(s.Path))
		}
		v, err := read(at+".value", f.Type, s.Value)
		if err != nil {
			return err
		}
		p.put(f.Name, v)
	}
	return nil
}

// records are the records that are named, as far as the viewer sees them, in one statement.
func (p *preparing) records(ctx context.Context) (map[int64]*conversation.Record, error) {
	var keys []int64
	for _, given := range p.in.Parameters {
		for _, id := range given.ids() {
			key, _ := p.IDs.Decode(publicid.Record, id)
			keys = append(keys, key)
		}
	}
	if p.row != nil && p.row.RecordID != 0 {
		keys = append(keys, p.row.RecordID)
	}
	if len(keys) == 0 {
		return nil, nil
	}
	return p.Conversations.Records(ctx, keys)
}

func (g *ParameterInput) ids() []string {
	if g.RecordID != nil {
		return []string{*g.RecordID}
	}
	return g.RecordIDs
}

// recordOf is the record of a parameter, or why there is none: the one given, or else the
// conversation's own.
func (p *preparing) recordOf(d *component.Parameter, records map[int64]*conversation.Record) (*conversation.Record, component.Reason) {
	given := p.given(d)
	if given == nil || given.RecordID == nil {
		if p.row != nil {
			if r := records[p.row.RecordID]; r != nil && r.ObjectType == d.ObjectType {
				return r, ""
			}
		}
		if d.Optional {
			return nil, ""
		}
		return nil, component.NotGiven
	}
	key, _ := p.IDs.Decode(publicid.Record, *given.RecordID)
	if r := records[key]; r != nil && r.ObjectType == d.ObjectType {
		return r, ""
	}
	return nil, component.NotFound
}
