package resolvers

import (
	"context"
	"errors"

	"parley/graph"
	"parley/internal/desk/action"
	"parley/internal/desk/crmaction"
	"parley/internal/desk/message"
	"parley/internal/ground/fault"
	"parley/internal/ground/stream"
)

// inPayload are the codes that mutations answer in their payload. The others
// stay errors of the request.
var inPayload = map[fault.Code]bool{
	fault.BadInput: true, fault.Forbidden: true, fault.NotFound: true, fault.IdempotencyConflict: true,
	fault.ConfirmationNeeded: true, fault.Refused: true, fault.Conflict: true, fault.LimitExceeded: true,
}

// userErrors turns what a caller can act on into the errors of a payload.
func userErrors(err error) ([]*fault.Error, error) {
	var f *fault.Error
	if errors.As(err, &f) && inPayload[f.Code] {
		return []*fault.Error{f}, nil
	}
	return []*fault.Error{}, err
}

// answered returns what a mutation made, and the errors of its payload.
func answered[T any](made T, err error) (T, []*fault.Error, error) {
	errs, err := userErrors(err)
	return made, errs, err
}

// sendErrors is userErrors for what may be refused.
func sendErrors(err error) ([]*message.Refusal, []*fault.Error, error) {
	var refused *message.RefusedError
	if errors.As(err, &refused) {
		e := fault.New(fault.Refused, "The message was not sent. The refusals say why.")
		return refused.Refusals, []*fault.Error{e}, nil
	}
	errs, err := userErrors(err)
	return []*message.Refusal{}, errs, err
}

// ranPayload is the payload of a run, with the reasons why there was none.
func ranPayload(ran *crmaction.Ran, err error) (*graph.RunCrmActionPayload, error) {
	var refused *crmaction.RefusedError
	if errors.As(err, &refused) {
		e := fault.New(fault.Conflict, "The action was not taken. The reasons say why.")
		return &graph.RunCrmActionPayload{Reasons: refused.Reasons, Errors: []*fault.Error{e}}, nil
	}
	errs, err := userErrors(err)
	p := &graph.RunCrmActionPayload{Reasons: []*action.Reason{}, Errors: errs}
	if ran != nil {
		p.Run, p.Changes, p.Requests, p.OpenURL = ran.Run, ran.Changes, ran.Requests, ran.OpenURL
		p.Record, p.Conversation = ran.Record, ran.Conversation
	}
	return p, err
}

// found turns nothing into NOT_FOUND.
func found[T any](v *T, err error) func(what string) (*T, error) {
	return func(what string) (*T, error) {
		if err == nil && v == nil {
			err = fault.Missing(what)
		}
		return v, err
	}
}

// fails ends the subscription of ctx with the error it is given.
func fails(ctx context.Context) func(error) {
	return func(err error) { stream.Fail(ctx, err) }
}
