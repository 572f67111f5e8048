package main

import (
	"context"
	"os"

	"parley/internal/app"
	"parley/internal/seed"
)

// seedCmd fills the database.
type seedCmd struct {
	Conversations int   `default:"1000" help:"How many conversations there shall be."`
	Messages      int   `default:"10000" help:"How many messages they hold together."`
	Seed          int64 `default:"1" help:"The same seed makes the same data."`
}

// Run implements the command.
func (s *seedCmd) Run(ctx context.Context, c *cli) error {
	if err := makeFolder(c.Database); err != nil {
		return err
	}
	a, err := app.Open(ctx, app.Config{Database: c.Database})
	if err != nil {
		return err
	}
	defer a.Close()
	return seed.Fill(ctx, a.Directory, a.Store, seed.Options{
		Conversations: s.Conversations, Messages: s.Messages, Seed: s.Seed, Progress: os.Stderr,
	})
}
