package crm

import (
	"encoding/json"

	"parley/internal/desk/object"
)

// body is what a record holds, by the names of its fields. Blank ones are left out.
type body map[string]object.Value

// readBody reads a stored body: a text, or a list of choices, for each field. What it
// does not know of a newer version it leaves out.
func readBody(stored string) body {
	b := body{}
	if stored == "" {
		return b
	}
	var raw map[string]json.RawMessage
	if json.Unmarshal([]byte(stored), &raw) != nil {
		return b
	}
	for name, written := range raw {
		var v object.Value
		if json.Unmarshal(written, &v.Text) == nil || json.Unmarshal(written, &v.List) == nil {
			b[name] = v
		}
	}
	return b
}

// String writes the body in the order of names, so that equal ones are the same text.
func (b body) String() string {
	raw := make(map[string]any, len(b))
	for name, v := range b {
		switch {
		case v.IsBlank():
		case v.List != nil:
			raw[name] = v.List
		default:
			raw[name] = v.Text
		}
	}
	written, _ := json.Marshal(raw) // texts and lists of texts
	return string(written)
}

// with is the body with other values; blank ones are removed.
func (b body) with(values map[string]object.Value) body {
	out := make(body, len(b)+len(values))
	for name, v := range b {
		out[name] = v
	}
	for name, v := range values {
		out[name] = v
		if v.IsBlank() {
			delete(out, name)
		}
	}
	return out
}

// text is the value of a field of which messaging has the name; empty for none.
func (b body) text(field string) string { return b[field].Text }
