package composer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/internal/desk/component"
	"parley/internal/desk/conversation"
	"parley/internal/desk/crm"
	"parley/internal/desk/formula"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
)

// options finds what the customer can choose from.
func (p *preparing) options(ctx context.Context) error {
	switch p.Kind {
	case component.TimeSelector:
		return p.slots(ctx)
	case component.DynamicQuestion:
		records, err := p.candidates(ctx)
		if err != nil {
			return err
		}
		return p.optionsOf(ctx, records)
	}
	return nil
}

func (p *preparing) slots(ctx context.Context) error {
	given := make([]component.Slot, len(p.in.Slots))
	for i, s := range p.in.Slots {
		if !lasts(s.DurationMinutes) {
			return fault.Input(fmt.Sprintf("input.slots.%d.durationMinutes", i), "A slot takes 1 to %d minutes, not %d.", mostMinutes, s.DurationMinutes)
		}
		given[i] = component.Slot{Start: s.Start.Std(), Duration: time.Duration(s.DurationMinutes) * time.Minute}
	}
	if p.in.asks && p.Options.ProviderURL != "" {
		if len(given) > 0 {
			return fault.Input("input.slots", "The component gets its slots from a provider. Leave them out.")
		}
		var err error
		if given, err = p.provided(ctx); err != nil {
			return err
		}
	}
	options, missing := p.Slots(p.values, given)
	p.values.Options, p.values.Missing = options, append(p.values.Missing, missing...)
	if len(given) > 0 && len(options) == 0 {
		p.lack([]component.Missing{{Path: "options", Reason: component.NoOptions, Detail: "Each of the times has begun. Give later ones."}})
	}
	return nil
}

const mostMinutes = 24 * 60

func lasts(minutes int) bool { return minutes >= 1 && minutes <= mostMinutes }

// candidates are the records that the options are made of, in their order.
func (p *preparing) candidates(ctx context.Context) ([]*conversation.Record, error) {
	if q := p.Options.Query; q != nil {
		return p.query(ctx, q)
	}
	d := p.Parameter(p.Options.Parameter)
	given := p.given(d)
	if given == nil || len(given.RecordIDs) == 0 {
		return nil, nil // says that there are no options
	}
	records, err := p.records(ctx)
	if err != nil {
		return nil, err
	}
	var found []*conversation.Record
	for _, id := range given.RecordIDs {
		key, _ := p.IDs.Decode(publicid.Record, id)
		if r := records[key]; r != nil && r.ObjectType == d.ObjectType {
			found = append(found, r)
		} else {
			p.miss("$Parameters."+d.Name, component.NotFound)
		}
	}
	return found, nil
}

func (p *preparing) query(ctx context.Context, q *component.Query) ([]*conversation.Record, error) {
	values, missing := p.Filters(p.values)
	p.values.Missing = append(p.values.Missing, missing...)
	filter := &crm.Filter{}
	for i, f := range q.Filters {
		filter.Fields = append(filter.Fields, &crm.FieldFilter{Name: f.Field, Equals: &values[i]})
	}
	size := q.Limit
	if q.Condition != "" {
		size = mostLooked
	}
	order := crm.Order{}
	if q.Order != nil {
		order = crm.Order(*q.Order)
	}
	records, err := p.Records.First(ctx, q.ObjectType, filter, order, size)
	var refused *fault.Error
	if errors.As(err, &refused) { // the viewer may not read the type or a field, or a value does not fit the field
		p.values.Missing = append(p.values.Missing, component.Missing{Path: "options.query", Reason: component.NotReadable, Detail: refused.Message})
		return nil, nil
	}
	return records, err
}

// optionsOf makes an option of each record, up to as many as there may be.
func (p *preparing) optionsOf(ctx context.Context, records []*conversation.Record) error {
	paths := p.OptionPaths()
	values := make([]map[string]formula.Value, len(records))
	var wants []*want
	lacking := make([][]component.Missing, len(records))
	for i, r := range records {
		values[i] = map[string]formula.Value{}
		for _, path := range paths {
			wants = append(wants, &want{
				at: r, path: strings.Split(path, "."),
				found: func(v formula.Value) { values[i][path] = v },
				lacks: func(reason component.Reason) {
					lacking[i] = append(lacking[i], component.Missing{Path: "options." + path, Reason: reason})
				},
			})
		}
	}
	if err := p.load(ctx, wants); err != nil {
		return err
	}
	most := component.MostOptions
	if q := p.Options.Query; q != nil {
		most = q.Limit
	}
	for i, r := range records {
		o, holds, missing := p.Option(p.values, func(path string) formula.Value { return values[i][path] })
		lacking[i] = append(lacking[i], missing...)
		if holds && len(p.values.Options) < most {
			o.Value = r.Key
			p.values.Options = append(p.values.Options, o)
			p.lack(lacking[i])
		}
	}
	if len(p.values.Options) == 0 { // what no record has may be why
		p.lack(slices.Concat(lacking...))
	}
	return nil
}

// lack adds what is missing, each once.
func (p *preparing) lack(missing []component.Missing) {
	for _, m := range missing {
		if !slices.Contains(p.values.Missing, m) {
			p.values.Missing = append(p.values.Missing, m)
		}
	}
}
