package crm

import (
	"slices"
	"strings"

	"parley/internal/channel"
	"parley/internal/desk/object"
	"parley/internal/ground/number"
)

// nameKey is what records are sorted and searched by.
func nameKey(title string) []byte { return object.Prefix(title) }

// derive adds the rows that follow from what the record holds now. Nothing finds a record
// whose place another has.
func (w *writing) derive(d *derived, known map[name]*stored) {
	b := w.holds(w.after)
	for i := range w.def.Fields {
		f := &w.def.Fields[i]
		v := b[f.Name]
		if f.Retired || w.after.mergedInto != 0 {
			continue
		}
		if f.Filterable {
			for _, key := range f.Keys(v) {
				d.values = append(d.values, []any{w.after.key, slot(w.def.Key, i), key})
			}
		}
		if place := w.placeOf(f); place >= 0 && v.Text != "" {
			canonical, own := w.numbers(v.Text, b.text(w.def.Messaging.Country))
			d.phones = append(d.phones, []any{w.after.key, slot(w.def.Key, i), place, canonical, own})
		}
	}
	for field, target := range w.references(b) {
		if r := known[target]; r != nil {
			d.lookups = append(d.lookups, []any{w.after.key, field, r.placeKey(), w.after.ObjectType})
		}
	}
}

// placeOf is the field's place among those that hold phone numbers, -1 for none.
func (w *writing) placeOf(f *object.Field) int {
	return slices.IndexFunc(w.def.Messaging.Phones, func(p object.PhoneField) bool { return strings.EqualFold(p.Field, f.Name) })
}

// written is a number as a record writes it, in its country.
type written struct{ text, country string }

// readNumbers reads the numbers of the input before the write begins, for that takes long
// and others wait for the write.
func (w *writing) readNumbers() {
	w.read = map[written][2]string{}
	for _, p := range w.def.Messaging.Phones {
		if v := w.values[p.Field]; v.Text != "" {
			n := written{v.Text, w.values[w.def.Messaging.Country].Text}
			canonical, own := numbersOf(n.text, n.country)
			w.read[n] = [2]string{canonical, own}
		}
	}
}

func (w *writing) numbers(text, country string) (canonical, own string) {
	if n, ok := w.read[written{text, country}]; ok {
		return n[0], n[1]
	}
	return numbersOf(text, country)
}

// numbersOf are a number's digits with its country code, empty where it is none, and its
// digits as people of its country dial it.
func numbersOf(text, country string) (canonical, own string) {
	own = channel.Cut(digitsOf(number.Bare(text)), object.MostID)
	if n, national, err := number.ReadNational(text, number.Region(country)); err == nil {
		canonical = digitsOf(n.E164)
		if own == canonical {
			own = digitsOf(national)
		}
	}
	return canonical, own
}

func digitsOf(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}
