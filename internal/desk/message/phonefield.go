package message

import (
	"context"
	"slices"
	"strings"

	"parley/internal/channel"
	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/desk/object"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// source is where a number to write to came from.
type source struct {
	written   string // empty for none
	region    string // two letters: where it is dialed; empty for where the sender is
	hidden    bool   // it is in fields that the viewer may not read
	elsewhere bool   // the record's phone fields, or the one that was asked for, serve other channels
}

// numberOf finds the number of a record, which this write has locked, for a channel: in the
// phone field of that name or, without one, in the first that serves channels of its type and has
// a number. Whoever knows the record by a conversation alone has its mobile number.
func (m *Messenger) numberOf(ctx context.Context, tx *store.Tx, ch *directory.Channel, record *conversation.Record, named *string) (source, error) {
	rights := m.Directory.RecordRights(viewer.FromContext(ctx))
	def := m.Directory.Defined(record.ObjectType)
	if def == nil || !rights.Object(def.Name).Includes(object.Read) {
		def = &object.Definition{}
	}
	phones := def.Messaging.Phones
	if named != nil {
		phones = slices.DeleteFunc(slices.Clone(phones), func(p object.PhoneField) bool { return !strings.EqualFold(p.Field, *named) })
		if len(phones) == 0 || rights.Field(def, def.Field(phones[0].Field)) == object.None {
			return source{}, fault.Input("input.phoneField", "The record has no phone field %q. objectType lists them.", channel.Cut(*named, object.MostName))
		}
	}
	if len(phones) == 0 {
		return source{written: record.Mobile}, nil
	}
	held, err := m.Records.Hold(ctx, tx, []int64{record.Key})
	if err != nil || held[record.Key] == nil {
		return source{}, err
	}
	from := source{elsewhere: true}
	for _, p := range phones {
		if !serves(p, ch.Type) {
			continue
		}
		if from.elsewhere = false; !rights.Field(def, def.Field(p.Field)).Includes(object.Read) {
			from.hidden = true
		} else if text := held[record.Key].Value(p.Field).Text; text != "" {
			return source{written: text, region: held[record.Key].Region}, nil
		}
	}
	return from, nil
}

// serves reports whether numbers in the field are for channels of a type.
func serves(p object.PhoneField, t channel.Type) bool {
	return len(p.ChannelTypes) == 0 || slices.Contains(p.ChannelTypes, t)
}

// hides reports whether the number of a conversation is in no field of its record that the
// viewer of ctx may read, and is known from nowhere else: the customer never wrote.
func (m *Messenger) hides(ctx context.Context, row *conversation.Row) bool {
	rights := m.Directory.RecordRights(viewer.FromContext(ctx))
	def := m.Directory.Defined(row.Type)
	if !row.LastIncoming.IsZero() || def == nil || !rights.Object(def.Name).Includes(object.Read) {
		return false
	}
	hidden := false
	for _, p := range def.Messaging.Phones {
		if !serves(p, row.Channel().Type) {
			continue
		}
		if rights.Field(def, def.Field(p.Field)).Includes(object.Read) {
			return false
		}
		hidden = true
	}
	return hidden
}

// hidesOptOut reports whether the viewer of ctx must not learn from a record of an object type
// if it has opted out: they may not read the field that says so. Those who may read such
// records are then refused whatever it says, and those who know one by its conversation alone
// only if it has: no message may reach it.
func (m *Messenger) hidesOptOut(ctx context.Context, objectType string, optedOut bool) bool {
	rights := m.Directory.RecordRights(viewer.FromContext(ctx))
	def := m.Directory.Defined(objectType)
	if def == nil || def.Messaging.OptedOut == "" || rights.Field(def, def.Field(def.Messaging.OptedOut)).Includes(object.Read) {
		return false
	}
	return optedOut || rights.Object(def.Name).Includes(object.Read)
}

func value(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
