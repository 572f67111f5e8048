package crm

import (
	"cmp"
	"strings"

	"parley/internal/channel"
	"parley/internal/desk/object"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
)

// references are the records that values reference, by field.
func (w *writing) references(values map[string]object.Value) map[string]name {
	out := map[string]name{}
	for field, v := range values {
		if f := w.def.Field(field); f != nil && f.Kind == object.Reference && v.Text != "" {
			objectType, id := v.Target()
			out[f.Name] = name{ObjectType: objectType, ExternalID: id}
		}
	}
	return out
}

// decide says what becomes of a record, given what is stored of it.
func (w *writing) decide(was *stored, now clock.Time) {
	at := w.at
	if at == 0 {
		at = now
	}
	outcome := outcomeOf(was, at)
	w.result.Outcome, w.result.Error, w.before, w.after = &outcome, nil, was, nil
	if outcome == Merged && was.converted {
		w.refer(was, at)
	}
	if outcome == Merged || outcome == Older {
		return
	}
	base := body{}
	if outcome == Updated {
		base = w.holds(was)
	} else if missing := w.missing(); missing != nil {
		w.result.Outcome, w.result.Error = nil, w.lacks(missing)
		return
	}
	after := &stored{name: w.name, at: at}
	if was != nil {
		after.key = was.key
	}
	w.fill(after, was, base.with(w.values))
	if size := len(after.body); size > mostBody {
		w.result.Outcome, w.result.Error = nil, fault.Input("fields", "A record takes at most %d bytes, and with these fields it has %d. Leave out what conversations do not need.", mostBody, size)
		return
	}
	if outcome == Updated && sameBut(after, was) {
		outcome = Unchanged
		if w.noted = after.at > was.at; !w.noted { // what was said later counts, though it said the same
			return
		}
	}
	w.after = after
}

// refer has a record that was converted keep what it references, though another has its
// place: what the record became is related by that.
func (w *writing) refer(was *stored, at clock.Time) {
	values := map[string]object.Value{}
	for name, v := range w.values {
		if w.def.Field(name).Kind == object.Reference {
			values[name] = v
		}
	}
	after := *was
	after.at, after.body = at, w.holds(was).with(values).String()
	if at < was.at || len(values) == 0 || len(after.body) > mostBody {
		return
	}
	if w.noted = after.body == was.body; !w.noted || at > was.at {
		w.after = &after
	}
}

// outcomeOf is what a change at a time comes to, if it changes anything.
func outcomeOf(was *stored, at clock.Time) Outcome {
	switch {
	case was != nil && was.mergedInto != 0:
		return Merged
	case was == nil || was.stub || was.deletedAt > 0 && at > was.deletedAt:
		return Created
	case was.deletedAt > 0 || at < was.at:
		return Older
	}
	return Updated
}

// sameBut reports whether nothing but the time of the change differs.
func sameBut(after, was *stored) bool {
	like := *was
	like.at = after.at
	return !was.unindexed && *after == like
}

// holds is what a stored record holds. Of one from before records had fields, it is what
// its columns say.
func (w *writing) holds(was *stored) body {
	if was.unindexed && was.body != "" { // an import has changed the columns since
		return readBody(was.body).with(bodyOf(&w.def.Definition, "", was.title, was.mobile, was.optedOut))
	}
	return bodyOf(&w.def.Definition, was.body, was.title, was.mobile, was.optedOut)
}

func bodyOf(def *object.Definition, written, title, mobile string, optedOut bool) body {
	if written != "" {
		return readBody(written)
	}
	b, m := body{}, def.Messaging
	if title != "" && m.Name != "" {
		b[m.Name] = object.Value{Text: title}
	}
	if mobile != "" && len(m.Phones) > 0 {
		b[m.Phones[0].Field] = object.Value{Text: mobile}
	}
	if optedOut && m.OptedOut != "" {
		b[m.OptedOut] = object.Value{Text: "true"}
	}
	return b
}

// missing is a required field that a new record does not have; nil for none.
func (w *writing) missing() *object.Field {
	for i := range w.def.Fields {
		f := &w.def.Fields[i]
		if _, given := w.values[f.Name]; f.Required && !f.Retired && !given {
			return f
		}
	}
	return nil
}

// lacks says that a new record has no value in a field, which is not named to whoever
// may not read it.
func (w *writing) lacks(f *object.Field) *fault.Error {
	if !w.rights.Field(&w.def.Definition, f).Includes(object.Read) {
		return fault.Input("fields", "A new %s needs a value in a field that you may not write. Ask an administrator.", w.def.Name)
	}
	return fault.Input(f.Name, "A new %s needs %s.", w.def.Name, f.Name)
}

// fill writes what a record holds, and what messaging reads of it. Where messaging names no
// such field, what was there before stays.
func (w *writing) fill(r, was *stored, b body) {
	m := w.def.Messaging
	if was != nil && was.deletedAt == 0 {
		r.title, r.mobile, r.optedOut = was.title, was.mobile, was.optedOut
	}
	r.body = b.String()
	if named := nameIn(b, m.Name); m.Name != "" || named != "" {
		r.title = channel.Cut(channel.CleanName(named), channel.MostName)
	}
	if m.OptedOut != "" {
		r.optedOut = b.text(m.OptedOut) == "true"
	}
	if len(m.Phones) > 0 {
		r.mobile = ""
	}
	for _, p := range m.Phones {
		r.mobile = cmp.Or(r.mobile, channel.Cut(b.text(p.Field), object.MostID))
	}
}

// nameIn is what a record is called: the field that says it or, where that is blank, first
// and last name, which CRMs make it of.
func nameIn(b body, field string) string {
	return cmp.Or(b.text(field), strings.TrimSpace(b.text("FirstName")+" "+b.text("LastName")))
}
