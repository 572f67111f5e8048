package sandbox

import (
	"context"
	"fmt"
	"net/http"

	"parley/internal/channel"
)

var _ channel.Checker = (*Provider)(nil)

// Check implements channel.Checker: whatever answers at the base URL will do. An
// account without one is played by the server itself.
func (p *Provider) Check(ctx context.Context, a channel.Account) error {
	if a.BaseURL == "" {
		return nil
	}
	client, base, err := p.route(a)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/messages", nil)
	if err != nil {
		return err
	}
	if _, err := client.Do(req); err != nil {
		return fmt.Errorf("the sandbox cannot be reached: %w", err)
	}
	return nil
}
