package main

import (
	"context"
	"errors"
	"os"

	"parley/app"
	"parley/internal/admin/seed"
	"parley/internal/ground/progress"
)

// seedCmd fills the database, and makes one where there is none: it is for trying
// things.
type seedCmd struct {
	Conversations int   `default:"1000" least:"1" help:"Number of conversations to create, up to 1,000,000. The number of agents and sender IDs grows with it."`
	Messages      int   `default:"10000" least:"1" help:"Number of messages in all of them together; at least one each."`
	Seed          int64 `default:"1" help:"The same three numbers create the same conversations; running it again adds missing ones, other numbers add another set."`
}

// Run implements the command.
func (s *seedCmd) Run(ctx context.Context, c *cli) (err error) {
	a, err := app.Open(ctx, c.creating(true))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	err = seed.Fill(ctx, a.Directory, a.Store, seed.Options{
		Conversations: s.Conversations, Messages: s.Messages, Seed: s.Seed, Progress: os.Stderr,
	})
	return progress.Interrupted(ctx, err, "while seeding; run it again to continue")
}
