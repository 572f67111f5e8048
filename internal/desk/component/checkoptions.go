package component

import (
	"fmt"

	"parley/internal/desk/formula"
	"parley/internal/desk/object"
	"parley/internal/ground/fault"
)

func (d *Design) checkOptions(kind Kind, types Types) error {
	const at = "input.design.options"
	o := d.Options
	switch {
	case !kind.Asks() && o != nil:
		return fault.Input(at, "A component of kind %s has no options. Leave them out.", kind)
	case !kind.Asks():
		return nil
	case kind == TimeSelector && o == nil:
		d.Options = &Options{}
		return nil
	case o == nil:
		return fault.Input(at, "A question needs options.")
	case o.Title == "" && kind == DynamicQuestion:
		return fault.Input(at+".title", "Give an expression over a record, such as Subject.")
	case o.ImageURL != "" && o.ImageAlt == "":
		return fault.Input(at+".imageAlt", "Say what the image shows, for those who do not see it.")
	}
	return o.checkSource(at, kind, d, types)
}

func (o *Options) checkSource(at string, kind Kind, d *Design, types Types) error {
	if o.ProviderURL != "" && kind != TimeSelector {
		return fault.Input(at+".providerUrl", "Only a time selector has a provider. Leave it out.")
	}
	if n := len(o.ProviderURL); n > MostURL {
		return fault.Input(at+".providerUrl", "Use at most %d bytes, not %d.", MostURL, n)
	}
	switch kind {
	case StaticQuestion:
		return o.checkStatic(at, d)
	case DynamicQuestion:
		return o.checkRecords(at, d, types)
	}
	if o.Constant != "" || o.Parameter != "" || o.Query != nil {
		return fault.Input(at, "The slots of a time selector come when it is prepared. Leave out constant, parameter and query.")
	}
	return nil
}

func (o *Options) checkStatic(at string, d *Design) error {
	if c := d.Constant(o.Constant); c == nil || c.Type != ListConstant {
		return fault.Input(at+".constant", "A static question has the options of a constant of type LIST, and %q is none.", o.Constant)
	}
	if *o != (Options{Constant: o.Constant}) {
		return fault.Input(at, "The options of a static question are the items of its list. Leave out everything but constant.")
	}
	return nil
}

func (o *Options) checkRecords(at string, d *Design, types Types) error {
	if o.Constant != "" || (o.Parameter != "") == (o.Query != nil) {
		return fault.Input(at, "Give the parameter that brings the records, or a query that finds them.")
	}
	if o.Query != nil {
		return o.Query.check(at+".query", types)
	}
	if p := d.Parameter(o.Parameter); p == nil || p.Type != formula.List {
		return fault.Input(at+".parameter", "The options are the records of a parameter of type LIST, and %q is none.", o.Parameter)
	}
	return nil
}

func (q *Query) check(at string, types Types) error {
	d := types(q.ObjectType)
	switch {
	case d == nil:
		return noObjectType(at, q.ObjectType)
	case q.Limit < 1 || q.Limit > MostOptions:
		return fault.Input(at+".limit", "Find 1 to %d records, not %d.", MostOptions, q.Limit)
	case len(q.Filters) > MostConditions:
		return fault.Input(at+".filters", "Give at most %d, not %d.", MostConditions, len(q.Filters))
	}
	for i := range q.Filters {
		if err := q.Filters[i].check(fmt.Sprintf("%s.filters.%d", at, i), d); err != nil {
			return err
		}
	}
	return q.Order.check(at+".order", d)
}

func (f *Filter) check(at string, d *object.Definition) error {
	field := filterable(d, f.Field)
	switch {
	case field == nil:
		return fault.Input(at+".field", "%s has no filterable field %q. Make it filterable, or use the condition.", d.Name, f.Field)
	case f.Value == "":
		return fault.Input(at+".value", "Give the value that records have.")
	}
	f.Field = field.Name
	return nil
}

func (o *Order) check(at string, d *object.Definition) error {
	if o == nil || o.Field == "" {
		return nil
	}
	field := filterable(d, o.Field)
	if field == nil {
		return fault.Input(at+".field", "%s has no filterable field %q. Make it filterable, or leave the field out to sort by name.", d.Name, o.Field)
	}
	o.Field = field.Name
	return nil
}

// filterable is the field with the name whose values have an index; nil when there is none.
func filterable(d *object.Definition, name string) *object.Field {
	if f := d.Field(name); f != nil && !f.Retired && f.Filterable {
		return f
	}
	return nil
}
