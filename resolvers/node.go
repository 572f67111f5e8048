package resolvers

import (
	"context"

	"parley/graph"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
)

// node finds any object by its id, under the same rules as every other way to it.
func (r *Resolver) node(ctx context.Context, id string) (graph.Node, error) {
	kind, key, _ := r.IDs.Parse(id)
	switch kind {
	case publicid.Conversation:
		return one(ctx, key, r.ConversationService.ByKey)
	case publicid.Message:
		return one(ctx, key, r.Messenger.Whole)
	case publicid.MessagingUser:
		return one(ctx, key, r.ConversationService.Users)
	case publicid.Record:
		return one(ctx, key, r.ConversationService.Records)
	case publicid.BulkOperation:
		return one(ctx, key, r.Bulk.ByKey)
	case publicid.QuickText:
		return one(ctx, key, r.Texts.ByKey)
	case publicid.PermissionSet:
		return one(ctx, key, r.Staff.ByKey)
	case publicid.AccessToken:
		return one(ctx, key, r.Access.ByKey)
	case publicid.AuditEntry:
		return one(ctx, key, r.Audit.ByKey)
	case publicid.CrmActionRun:
		return one(ctx, key, r.Actions.RunsByKey)
	case publicid.CrmConnection:
		return one(ctx, key, r.Syncs.ByKey)
	case publicid.Component:
		return one(ctx, key, r.Composer.ByKey)
	case publicid.Image:
		return one(ctx, key, r.Pictures.ByKey)
	case publicid.Account:
		return one(ctx, key, r.Accounts.ByKey)
	}
	return r.listed(ctx, kind, key)
}

// listed finds what the directory lists.
func (r *Resolver) listed(ctx context.Context, kind publicid.Kind, key int64) (graph.Node, error) {
	switch kind {
	case publicid.Queue:
		if q := r.Switchboard.Queue(ctx, key); q != nil {
			return q, nil
		}
	case publicid.Agent:
		if a := r.Directory.Agent(key); a != nil {
			return a, nil
		}
	case publicid.ObjectType:
		if t, err := r.ObjectTypes.ByKey(ctx, key); err == nil {
			return t, nil
		}
	case publicid.CrmAction:
		if a, err := r.Actions.ByKey(ctx, key); err == nil {
			return a, nil
		}
	case publicid.LinkingRule:
		if l, err := r.Linking.ByKey(ctx, key); err == nil {
			return l, nil
		}
	case publicid.Channel:
		if c := r.Directory.Channel(key); c != nil {
			return c, nil
		}
	}
	return nil, fault.Missing("object")
}

func one[T graph.Node](ctx context.Context, key int64, batch func(context.Context, []int64) (map[int64]T, error)) (graph.Node, error) {
	found, err := batch(ctx, []int64{key})
	if err != nil {
		return nil, err
	}
	if v, ok := found[key]; ok {
		return v, nil
	}
	return nil, fault.Missing("object")
}
