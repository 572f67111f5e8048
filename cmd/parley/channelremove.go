package main

import (
	"context"
	"fmt"
)

type removeChannelCmd struct {
	asJSON
	Channel string `arg:"" help:"The channel: its address or developer name."`
}

// Run implements the command. Conversations, with all that was said, belong to their
// channel for ever.
func (r *removeChannelCmd) Run(ctx context.Context, c *cli) error {
	return asOperator(ctx, c, func(_ context.Context, d *operator) error {
		ch, err := d.channel(r.Channel)
		if err != nil {
			return err
		}
		return fmt.Errorf("a channel cannot be removed, because its conversations stay; nothing is sent from it after: parley channel deactivate %s", ch.Address)
	})
}
