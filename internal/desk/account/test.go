package account

import (
	"context"
	"errors"
	"time"

	"parley/internal/channel"
	"parley/internal/desk/administration"
	"parley/internal/ground/fault"
	"parley/internal/ground/quota"
)

// testTime bounds a test.
const testTime = 10 * time.Second

// Result is what a test found.
type Result struct {
	IsOK     bool
	Message  string  // in plain words
	WhatToDo *string // nil when nothing is to be done
}

func failed(message, do string) *Result { return &Result{Message: message, WhatToDo: &do} }

// Test asks the carrier whether the account works, and sends nothing to anybody.
func (s *Service) Test(ctx context.Context, id string) (*Result, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	a, err := s.ByID(ctx, id)
	if err != nil {
		return nil, fault.At("input.id", err)
	}
	if err := quota.Spend(ctx, s.Tests).Take(); err != nil {
		return nil, err
	}
	if problem := a.Problem(); problem != nil {
		return failed("The account cannot be used.", *problem), nil
	}
	return s.ask(ctx, a), nil
}

func (s *Service) ask(ctx context.Context, a *Account) *Result {
	checker, asks := s.Providers.Named(a.Provider).(channel.Checker)
	if !asks {
		return &Result{IsOK: true, Message: "The credentials are complete. This carrier offers no way to test them."}
	}
	ctx, cancel := context.WithTimeout(ctx, testTime)
	defer cancel()
	switch err := checker.Check(ctx, a.used.Account); {
	case err != nil && a.BaseURL != "" && (ctx.Err() != nil || errors.Is(err, channel.ErrUnanswered)):
		// One answer, whatever is at the address: nobody is to explore a network by it.
		return failed("The carrier cannot be reached at the account's base URL.", "Check the base URL, and that the server can reach it over the public internet, then test again.")
	case err != nil && ctx.Err() != nil:
		return failed("The carrier did not answer in time.", "Check the base URL and that the server can reach it, then test again.")
	case err != nil:
		return failed("The account does not work: "+err.Error()+".", "Compare the credentials and the base URL with the carrier's console.")
	}
	if !a.IsActive {
		return &Result{IsOK: true, Message: "The carrier accepts the credentials. The account is not active."}
	}
	return &Result{IsOK: true, Message: "The carrier accepts the credentials."}
}
