package salesforce

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"parley/internal/channel"
	"parley/internal/channel/wire"
	"parley/internal/connector"
)

// keys are the credentials of an org.
type keys struct {
	ClientID     string
	ClientSecret channel.Secret
	Username     string
	PrivateKey   channel.Secret
	Audience     string

	signer *rsa.PrivateKey // of the JWT bearer flow
}

// defaultAudience is that of every org but sandboxes.
const defaultAudience = "https://login.salesforce.com"

// parse reads credentials. Its errors quote nothing of them.
func parse(document json.RawMessage) (*keys, error) {
	var text struct{ ClientID, ClientSecret, Username, PrivateKey, Audience string }
	if json.Unmarshal(document, &text) != nil {
		return nil, errors.New("The credentials cannot be read. Set them again.") //nolint:staticcheck,revive // a sentence for people
	}
	k := &keys{
		ClientID: text.ClientID, ClientSecret: channel.Secret(text.ClientSecret), Username: text.Username,
		PrivateKey: channel.Secret(text.PrivateKey), Audience: text.Audience,
	}
	if k.Audience == "" {
		k.Audience = defaultAudience
	}
	switch bearer := k.Username != "" || k.PrivateKey != ""; {
	case k.ClientSecret != "" && bearer:
		return nil, errors.New("Give clientSecret, or username and privateKey, not both.") //nolint:staticcheck,revive // a sentence for people
	case k.ClientSecret != "":
		return k, nil
	case k.Username == "" || k.PrivateKey == "":
		return nil, errors.New("Give clientSecret for the client credentials flow, or username and privateKey for the JWT bearer flow.") //nolint:staticcheck,revive // a sentence for people
	}
	signer, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(string(k.PrivateKey)))
	if err != nil {
		return nil, errors.New("The privateKey is no RSA key in PEM without a password. Paste the whole file, from BEGIN to END.") //nolint:staticcheck,revive // a sentence for people
	}
	k.signer = signer
	return k, nil
}

// assertion is how long Salesforce may take a JWT: it allows 5 minutes.
const assertion = 3 * time.Minute

// form is what is posted for a token.
func (k *keys) form(now time.Time) (string, error) {
	form := url.Values{}
	if k.signer == nil {
		form.Set("grant_type", "client_credentials")
		form.Set("client_id", k.ClientID)
		form.Set("client_secret", string(k.ClientSecret))
		return form.Encode(), nil
	}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": k.ClientID, "sub": k.Username, "aud": k.Audience, "exp": now.Add(assertion).Unix(),
	}).SignedString(k.signer)
	form.Set("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
	form.Set("assertion", signed)
	return form.Encode(), err
}

// signIn returns where the API is and a token, the present one unless it has ended.
func (x *session) signIn(ctx context.Context, ended bool) (instance, token string, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.token != "" && !ended {
		return x.instance, x.token, nil
	}
	got, a, err := x.ask(ctx, time.Now())
	if err == nil && x.keys.signer != nil && got.Error == "invalid_grant" { // our clock may be off, and an assertion is of a time
		got, a, err = x.ask(ctx, a.now().Std())
	}
	switch {
	case err != nil:
		return "", "", err
	case a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable:
		return "", "", &connector.LimitedError{After: a.retryAfter()}
	case a.Status >= http.StatusInternalServerError:
		return "", "", fmt.Errorf("salesforce: the sign-in was answered %d", a.Status)
	case a.Status != http.StatusOK:
		return "", "", refusal("Salesforce does not accept the credentials (%s). Compare them with the app's, and check that its flow and user are set.", wire.Detail(strings.TrimSpace(got.Error+" "+got.Detail)))
	case got.Token == "":
		return "", "", errors.New("salesforce: the answer has no token")
	}
	if err := x.checkInstance(got.Instance); err != nil {
		return "", "", err
	}
	x.token, x.instance = got.Token, strings.TrimSuffix(got.Instance, "/")
	return x.instance, x.token, nil
}

// granted is the answer to a sign-in.
type granted struct {
	Token    string `json:"access_token"`
	Instance string `json:"instance_url"`
	Error    string `json:"error"`
	Detail   string `json:"error_description"`
}

// ask asks for a token, at a time.
func (x *session) ask(ctx context.Context, now time.Time) (*granted, *answer, error) {
	form, err := x.keys.form(now)
	if err != nil {
		return nil, nil, err
	}
	a, err := x.send(ctx, call{method: http.MethodPost, address: x.login + "/services/oauth2/token", kind: "application/x-www-form-urlencoded", body: form})
	if err != nil {
		return nil, nil, err
	}
	got := &granted{}
	_ = json.Unmarshal(a.Body, got) // what is no answer of OAuth has no token
	return got, a, nil
}

// checkInstance refuses an instance that the token would reach less protected than it came.
func (x *session) checkInstance(instance string) error {
	login, err := url.Parse(x.login)
	is, err2 := url.Parse(instance)
	if err != nil || err2 != nil || is.Host == "" || is.Scheme != "https" && is.Scheme != login.Scheme {
		return refusal("Salesforce names an instance that is no address. Check the connection's address.")
	}
	return nil
}
