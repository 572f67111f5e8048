// Package crmaction has the use cases of CRM actions: administrators define them, agents
// see which they can take in a conversation and take them, triggers run them, and webhooks
// are delivered. What a definition may say, and who may run it, package action knows.
//
// A run is one transaction: what it changes, the line in the conversation, the entry in the
// log of runs and the delivery of a webhook are all there, or nothing is.
package crmaction

import (
	"context"
	"slices"
	"time"

	"parley/internal/desk/action"
	"parley/internal/desk/conversation"
	"parley/internal/desk/crm"
	"parley/internal/desk/crmsync"
	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/desk/message"
	"parley/internal/desk/object"
	"parley/internal/desk/rule"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/quota"
	"parley/internal/ground/store"
	"parley/internal/ground/vault"
	"parley/internal/ground/viewer"
	"parley/internal/ground/webhook"
)

// Service has the use cases. All fields but Runs, Pauses and WouldLink are required.
type Service struct {
	Store         *store.Store
	Directory     *directory.Directory
	IDs           *publicid.Codec
	Cursors       *feed.Cursors
	Conversations *conversation.Service
	Records       *crm.Service
	Messages      message.Reader
	Syncs         *crmsync.Service
	Vault         *vault.Vault
	// Call posts a webhook.
	Call webhook.Caller
	// Local lets webhooks be on this machine, for development.
	Local bool
	// Runs is how many actions an agent may run; nil for any.
	Runs *quota.Quota
	// Pauses are the times between the tries of a delivery; action.DefaultPauses by default.
	Pauses []time.Duration
	// WouldLink reports, inside the write, whether a rule links a conversation to a record, now
	// or soon; nil for never.
	WouldLink func(ctx context.Context, tx *store.Tx, row *conversation.Row) (bool, error)
}

// CrmAction is an action as a viewer sees it.
type CrmAction struct {
	ID, Name, DeveloperName, Description string

	Performs    action.Kind
	Type        action.Mode
	IsActive    bool
	ObjectTypes []string
	Parameters  []*action.Parameter
	Trigger     *action.Trigger
	Conditions  []*action.Condition
}

// IsNode marks a GraphQL Node.
func (*CrmAction) IsNode() {}

// List are the actions that the viewer of ctx sees, by name.
func (s *Service) List(ctx context.Context) []*CrmAction {
	v, list := viewer.FromContext(ctx), []*CrmAction{}
	for _, a := range s.Directory.CrmActions() {
		if seen := s.seen(v, a); seen != nil {
			list = append(list, seen)
		}
	}
	return list
}

// ByKey is the action with a key; NOT_FOUND if the viewer of ctx sees none.
func (s *Service) ByKey(ctx context.Context, key int64) (*CrmAction, error) {
	if a := s.Directory.CrmAction(key); a != nil {
		if seen := s.seen(viewer.FromContext(ctx), a); seen != nil {
			return seen, nil
		}
	}
	return nil, fault.Missing("action")
}

// sees reports whether v knows of an action: administrators of all, agents of those that
// they could run with records that they may read.
func (s *Service) sees(v *viewer.Viewer, a *directory.CrmAction) bool {
	switch {
	case v == nil:
		return false
	case rule.Administers(v):
		return true
	case !a.Active || a.Mode != action.Manual:
		return false
	}
	return len(a.ObjectTypes) == 0 || slices.ContainsFunc(a.ObjectTypes, s.readable(v))
}

func (s *Service) readable(v *viewer.Viewer) func(objectType string) bool {
	rights := s.Directory.RecordRights(v)
	return func(objectType string) bool { return rights.Object(objectType).Includes(object.Read) }
}

// seen is an action as v sees it, nil if they do not. Agents learn what they are asked
// for, and nothing of what else the action reads and writes.
func (s *Service) seen(v *viewer.Viewer, a *directory.CrmAction) *CrmAction {
	if !s.sees(v, a) {
		return nil
	}
	seen := &CrmAction{
		ID: a.ID, Name: a.Name, DeveloperName: a.DeveloperName, Description: a.Description,
		Performs: a.Kind.Known(), Type: a.Mode, IsActive: a.Active, ObjectTypes: slices.Clone(a.ObjectTypes),
		Parameters: []*action.Parameter{}, Conditions: []*action.Condition{},
	}
	all := rule.Administers(v)
	if !all {
		may := s.readable(v)
		seen.ObjectTypes = slices.DeleteFunc(seen.ObjectTypes, func(name string) bool { return !may(name) })
	}
	for i := range a.Parameters {
		if p := &a.Parameters[i]; all || p.Asked {
			seen.Parameters = append(seen.Parameters, p)
		}
	}
	for i := range a.Conditions {
		seen.Conditions = append(seen.Conditions, &a.Conditions[i])
	}
	if a.Trigger != "" {
		t := a.Trigger.Known()
		seen.Trigger = &t
	}
	return seen
}

// Available is an action, and why the viewer cannot take it; no reasons if they can.
type Available struct {
	Action  *CrmAction
	Reasons []*action.Reason
}

// IsAvailable reports whether there are no reasons.
func (a *Available) IsAvailable() bool { return len(a.Reasons) == 0 }

// Available are the manual actions that the viewer of ctx sees, by name, with the reasons
// why they cannot be taken in a conversation. It reads nothing.
func (s *Service) Available(ctx context.Context, row *conversation.Row) []*Available {
	v, list := viewer.FromContext(ctx), []*Available{}
	if v == nil {
		return list
	}
	c := s.caseOf(v, row.Type)
	c.Merged = row.MergedInto != 0
	for _, a := range s.Directory.CrmActions() {
		if !a.Active || a.Mode != action.Manual {
			continue
		}
		if seen := s.seen(v, a); seen != nil {
			list = append(list, &Available{seen, a.Judge(c)})
		}
	}
	return list
}

func (s *Service) caseOf(v *viewer.Viewer, objectType string) action.Case {
	return action.Case{MayAct: v.Can(viewer.TakeAction), Rights: s.Directory.RecordRights(v), ObjectType: objectType, Types: s.Directory.Defined}
}
