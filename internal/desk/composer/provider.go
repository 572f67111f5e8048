package composer

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parley/internal/desk/component"
	"parley/internal/ground/fault"
	"parley/internal/ground/webhook"
)

// MostProviders is how many components are told apart in how often their providers are asked.
const MostProviders = component.MostComponents

// question is what a provider is asked, by Standard Webhooks.
type question struct {
	Type      string       `json:"type"`
	Timestamp string       `json:"timestamp"`
	Data      questionData `json:"data"`
}

type questionData struct {
	Component      string            `json:"component"`
	ConversationID string            `json:"conversationId"`
	TimeZone       string            `json:"timeZone"`
	Locale         string            `json:"locale,omitempty"`
	Parameters     map[string]string `json:"parameters"`
}

// offer is what a provider answers.
type offer struct {
	Slots *[]struct {
		Start           time.Time `json:"start"`
		DurationMinutes int       `json:"durationMinutes"`
	} `json:"slots"`
}

// provided asks the component's provider for slots, outside of any transaction. That it has
// none to give is a value that is missing, with the reason; asking too often is a fault.
func (p *preparing) provided(ctx context.Context) ([]component.Slot, error) {
	if wait := p.Calls.Take(strconv.FormatInt(p.of.Key, 10), 1); wait > 0 {
		return nil, &fault.Error{
			Code: fault.LimitExceeded, RetryAfter: wait,
			Message: "The component's provider is asked 10 times at once, and then once a second. Wait retryAfter seconds, then prepare it again.",
		}
	}
	slots, problem, err := p.ask(ctx)
	if err != nil {
		return nil, err
	}
	if problem != "" {
		p.lack([]component.Missing{{Path: "options.provider", Reason: component.NoProvider, Detail: problem}})
	}
	return slots, nil
}

func (p *preparing) ask(ctx context.Context) (slots []component.Slot, problem string, err error) {
	sealed, err := p.secretOf(ctx)
	if err != nil {
		return nil, "", err
	}
	keys, err := webhook.Unseal(p.Vault, sealed, sealedAt(p.of.DeveloperName))
	if err != nil {
		return nil, "The component has no secret that calls are signed with, or it cannot be read. Ask an administrator for one by renewComponentSecret.", nil //nolint:nilerr // what is lost is told to whoever prepares the component
	}
	body, err := json.Marshal(p.question())
	if err != nil {
		return nil, "", err
	}
	id := "msg_" + strings.ToLower(rand.Text())
	answer, err := p.Call(ctx, &webhook.Call{URL: p.Options.ProviderURL, Body: string(body), Header: keys.Signed(id, p.Store.Clock.Now(), string(body))})
	switch {
	case ctx.Err() != nil:
		return nil, "", ctx.Err()
	case errors.Is(err, webhook.ErrNotPublic):
		return nil, "The provider's host is not an address of the public internet.", nil
	case err != nil:
		return nil, "The provider cannot be reached, or did not answer in time.", nil //nolint:nilerr // the cause may tell of the network
	case answer.Status != http.StatusOK:
		return nil, fmt.Sprintf("The provider answered with the status %d, and not 200.", answer.Status), nil
	}
	slots, problem = offered(answer.Body)
	return slots, problem, nil
}

func (p *preparing) question() question {
	data := questionData{
		Component: p.of.DeveloperName, ConversationID: p.row.ID(), TimeZone: p.values.SlotZone.String(), Locale: p.locale, Parameters: map[string]string{},
	}
	for _, given := range p.in.Parameters {
		if given.Value != nil {
			data.Parameters[p.Parameter(given.Name).Name] = *given.Value
		}
	}
	return question{"component.slots", p.Store.Clock.Now().String(), data}
}

// offered reads a provider's answer.
func offered(body string) (slots []component.Slot, problem string) {
	var o offer
	if err := json.Unmarshal([]byte(body), &o); err != nil || o.Slots == nil {
		return nil, `The provider's answer is not JSON such as {"slots": [{"start": "2026-11-30T09:00:00Z", "durationMinutes": 30}]}, or is too long.`
	}
	if n := len(*o.Slots); n > MostSlots {
		return nil, fmt.Sprintf("The provider offers %d slots, and at most %d are taken.", n, MostSlots)
	}
	for i, s := range *o.Slots {
		if !lasts(s.DurationMinutes) || s.Start.IsZero() {
			return nil, fmt.Sprintf("The provider's slot %d has no start, or does not take 1 to %d minutes.", i+1, mostMinutes)
		}
		slots = append(slots, component.Slot{Start: s.Start.UTC(), Duration: time.Duration(s.DurationMinutes) * time.Minute})
	}
	return slots, ""
}
