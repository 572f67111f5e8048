package directory

import (
	"cmp"
	"slices"
	"strings"

	"parley/ent"
	"parley/internal/desk/action"
	"parley/internal/desk/object"
	"parley/internal/ground/publicid"
)

// CrmAction is an action as it is defined now.
type CrmAction struct {
	action.Definition

	Key    int64
	ID     string
	Sealed []byte // what its webhooks are signed with, encrypted
}

// actions are the actions, by name, and those that a trigger runs.
type actions struct {
	list  []*CrmAction
	byKey map[int64]*CrmAction
	fired map[action.Trigger][]*CrmAction
}

func (s *snapshot) addActions(ids *publicid.Codec, rs *rows) {
	s.actions = actions{byKey: make(map[int64]*CrmAction, len(rs.actions)), fired: map[action.Trigger][]*CrmAction{}}
	for _, row := range rs.actions {
		a := &CrmAction{Definition: ActionOf(row), Key: row.ID, ID: ids.Encode(publicid.CrmAction, row.ID), Sealed: row.Sealed}
		s.actions.list = append(s.actions.list, a)
		s.actions.byKey[a.Key] = a
	}
	slices.SortFunc(s.actions.list, func(a, b *CrmAction) int { return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.Key, b.Key)) })
	for _, a := range s.actions.list {
		if a.Fires(a.Trigger) {
			s.actions.fired[a.Trigger] = append(s.actions.fired[a.Trigger], a)
		}
	}
}

// ActionOf is an action as a row has it.
func ActionOf(row *ent.CrmAction) action.Definition {
	return action.Definition{
		Name: row.Name, DeveloperName: row.DeveloperName, Kind: action.Kind(row.Performs), Mode: action.Mode(row.Type),
		Description: row.Description, Active: row.Active, ObjectTypes: row.ObjectTypes, Parameters: row.Parameters,
		Trigger: action.Trigger(row.Trigger), Conditions: row.Conditions,
	}
}

// CrmActions are all actions, by name.
func (d *Directory) CrmActions() []*CrmAction { return d.now.Load().actions.list }

// CrmAction returns the action with the key, nil when there is none.
func (d *Directory) CrmAction(key int64) *CrmAction { return d.now.Load().actions.byKey[key] }

// Fired are the active actions that a trigger runs, by name.
func (d *Directory) Fired(t action.Trigger) []*CrmAction { return d.now.Load().actions.fired[t] }

// Defined returns the definition of the object type with a name, nil when there is none.
func (d *Directory) Defined(name string) *object.Definition {
	if t := d.ObjectType(name); t != nil {
		return &t.Definition
	}
	return nil
}
