package twilio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"parley/internal/channel"
)

var _ channel.Checker = (*Provider)(nil)

// Check implements channel.Checker: it reads the Account resource.
func (p *Provider) Check(ctx context.Context, a channel.Account) error {
	base, err := baseURL(a)
	if err != nil {
		return err
	}
	if a.SID == "" {
		return errors.New("it has no account SID")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/2010-04-01/Accounts/"+url.PathEscape(a.SID)+".json", nil)
	if err != nil {
		return errors.New("the base URL cannot be used")
	}
	req.SetBasicAuth(a.SID, a.Secret)
	req.Header.Set("Accept", "application/json")
	answer, err := p.client.Do(req)
	switch {
	case err != nil:
		return fmt.Errorf("Twilio is not reached: %w", err) //nolint:staticcheck // a name
	case answer.Status == http.StatusUnauthorized || answer.Status == http.StatusForbidden:
		return errors.New("Twilio refuses the account SID or the auth token") //nolint:staticcheck // a name
	case answer.Status != http.StatusOK:
		return fmt.Errorf("Twilio answers HTTP %d", answer.Status) //nolint:staticcheck // a name
	}
	var is struct {
		Status string `json:"status"`
	}
	if err := json.Unmarshal(answer.Body, &is); err != nil || is.Status != "active" {
		return fmt.Errorf("the account is %q at Twilio and not active", is.Status)
	}
	return nil
}
