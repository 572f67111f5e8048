package composer

import (
	"context"
	"strings"

	"parley/internal/desk/component"
	"parley/internal/desk/conversation"
	"parley/internal/desk/crm"
	"parley/internal/desk/formula"
	"parley/internal/desk/formula/recordfields"
)

// want is a path from a record. Either found or lacks is called for it.
type want struct {
	at    *conversation.Record
	path  []string
	found func(formula.Value)
	lacks func(component.Reason)
}

// load finds what paths lead to, as far as the viewer of ctx may read it: two statements
// for each lookup of the longest, whatever their number.
func (p *preparing) load(ctx context.Context, wants []*want) error {
	for len(wants) > 0 {
		fields, err := p.fieldsOf(ctx, wants)
		if err != nil {
			return err
		}
		var on []*want
		var lookups []*crm.Field
		for _, w := range wants {
			f := find(fields[w.at.Key], w.path[0])
			switch {
			case f == nil: // the object type has lost it
				w.lacks(component.NotFound)
			case f.Unreadable != nil:
				w.lacks(component.NotReadable)
			case len(w.path) == 1:
				w.found(recordfields.ValueOf(f.Type(), f.Value))
			case f.Value.IsBlank():
				w.found(formula.Value{})
			default:
				on, lookups = append(on, w), append(lookups, f)
			}
		}
		if wants, err = p.follow(ctx, on, lookups); err != nil {
			return err
		}
	}
	return nil
}

// follow has wants go on from the records that lookups reference.
func (p *preparing) follow(ctx context.Context, wants []*want, lookups []*crm.Field) (on []*want, err error) {
	if len(wants) == 0 {
		return nil, nil
	}
	records, err := p.Records.References(ctx, lookups)
	for i, w := range wants {
		if w.at, w.path = records[i], w.path[1:]; w.at != nil {
			on = append(on, w)
		} else if err == nil {
			w.lacks(component.NotFound)
		}
	}
	return on, err
}

// fieldsOf reads the next field of each want, in one statement.
func (p *preparing) fieldsOf(ctx context.Context, wants []*want) (map[int64][]*crm.Field, error) {
	var records []*conversation.Record
	var names []string
	seen := map[int64]bool{}
	for _, w := range wants {
		if !seen[w.at.Key] {
			seen[w.at.Key] = true
			records = append(records, w.at)
		}
		if !contains(names, w.path[0]) {
			names = append(names, w.path[0])
		}
	}
	fields, err := p.Records.Fields(ctx, records, names)
	byKey := make(map[int64][]*crm.Field, len(records))
	for i := range fields {
		byKey[records[i].Key] = fields[i]
	}
	return byKey, err
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

func find(fields []*crm.Field, name string) *crm.Field {
	for _, f := range fields {
		if strings.EqualFold(f.Name(), name) {
			return f
		}
	}
	return nil
}
