package twilio

import (
	"context"
	"fmt"
	"net/url"

	"parley/internal/channel"
)

var _ channel.Checker = (*Provider)(nil)

// Check implements channel.Checker: it reads the Account resource.
func (p *Provider) Check(ctx context.Context, a channel.Account) error {
	if _, err := baseURL(a); err != nil {
		return err
	}
	if isMadeUp(a) {
		return nil // only a demo plays its carrier
	}
	var is struct {
		Status string `json:"status"`
	}
	if err := p.get(ctx, a, "/2010-04-01/Accounts/"+url.PathEscape(credentials(a).SID)+".json", &is); err != nil {
		return err
	}
	if is.Status != "active" {
		return fmt.Errorf("the account is %q at Twilio, not active", is.Status)
	}
	return nil
}
