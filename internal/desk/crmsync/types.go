package crmsync

import (
	"fmt"
	"regexp"
	"slices"

	"parley/internal/channel"
	"parley/internal/connector"
	"parley/internal/desk/directory"
	"parley/internal/ground/fault"
)

// types are the object types of an input, spelled as they are defined.
func (s *Service) types(in []TypeInput) ([]connector.Type, error) {
	if n := len(in); n > mostTypes {
		return nil, fault.Input("input.objectTypes", "Give at most %d, not %d.", mostTypes, n)
	}
	types := make([]connector.Type, len(in))
	for i, t := range in {
		at := fmt.Sprintf("input.objectTypes.%d", i)
		def := s.Directory.ObjectType(t.ObjectType)
		if def == nil {
			return nil, fault.Input(at+".objectType", "There is no object type %q. Create it first, or correct the name.", channel.Cut(t.ObjectType, 40))
		}
		if slices.ContainsFunc(types[:i], func(other connector.Type) bool { return other.ObjectType == def.Name }) {
			return nil, fault.Input(at+".objectType", "%s is there twice. Give it once.", def.Name)
		}
		types[i] = connector.Type{ObjectType: def.Name}
		if t.Object != nil {
			types[i].Object = *t.Object
		}
		if n := types[i].Object; n != "" && !isAPIName(n) {
			return nil, notAPIName(at + ".object")
		}
		types[i].WritesBack = t.WritesBack != nil && *t.WritesBack
		if t.ExternalIDField != nil {
			types[i].Key = *t.ExternalIDField
		}
		if k := types[i].Key; k != "" && !isAPIName(k) {
			return nil, notAPIName(at + ".externalIdField")
		}
		mappings, err := mappingsOf(at+".mappings", def, t.Mappings)
		if err != nil {
			return nil, err
		}
		types[i].Fields = mappings
	}
	return types, nil
}

// mappingsOf are the mappings of an input, spelled as the object type is defined.
func mappingsOf(at string, def *directory.ObjectType, in []connector.Mapping) ([]connector.Mapping, error) {
	if n := len(in); n > mostMappings {
		return nil, fault.Input(at, "Give at most %d, not %d.", mostMappings, n)
	}
	list := make([]connector.Mapping, len(in))
	for i, m := range in {
		f := def.Field(m.Field)
		if f == nil || f.Retired {
			return nil, fault.Input(fmt.Sprintf("%s.%d.field", at, i), "%s has no such field.", def.Name)
		}
		if !isAPIName(m.From) {
			return nil, notAPIName(fmt.Sprintf("%s.%d.from", at, i))
		}
		list[i] = connector.Mapping{Field: f.Name, From: m.From}
	}
	return list, nil
}

func notAPIName(field string) error {
	return fault.Input(field, "Use the CRM's API name: 1 to 80 letters, digits and underscores, a letter first.")
}

var apiName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,79}$`)

func isAPIName(name string) bool { return apiName.MatchString(name) }
