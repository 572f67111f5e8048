package staff

import (
	"bytes"
	"context"
	"encoding/json"
	"regexp"

	"parley/ent"
	"parley/ent/preference"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Bounds of preferences: bytes of a value, and how many an agent may have.
const (
	mostPreference  = 8_192
	mostPreferences = 20
)

var frontendName = regexp.MustCompile(`^[!-~]{1,64}$`)

// SetPreferencesInput is what a frontend keeps for the agent who asks.
type SetPreferencesInput struct {
	Frontend string
	Value    *string // the text of a JSON object; nil for nothing
}

func (in *SetPreferencesInput) check() error {
	if err := checkFrontend("input.frontend", in.Frontend); err != nil || in.Value == nil {
		return err
	}
	value := []byte(*in.Value)
	if len(value) > mostPreference {
		return fault.Input("input.value", "Use at most %d bytes, not %d.", mostPreference, len(value))
	}
	if !json.Valid(value) || !bytes.HasPrefix(bytes.TrimSpace(value), []byte("{")) || bytes.Contains(value, []byte(`\u0000`)) {
		return fault.Input("input.value", `Give the text of a JSON object, such as {"theme": "dark"}, without the character U+0000.`)
	}
	return nil
}

func checkFrontend(field, name string) error {
	if !frontendName.MatchString(name) {
		return fault.Input(field, "Use 1 to 64 visible ASCII characters without spaces.")
	}
	return nil
}

// own are the preferences that a frontend keeps for the agent who asks.
func own(ctx context.Context, frontend string) func(*ent.PreferenceQuery) *ent.PreferenceQuery {
	agent := viewer.FromContext(ctx).AgentID
	return func(q *ent.PreferenceQuery) *ent.PreferenceQuery {
		return q.Where(preference.AgentID(agent), preference.Frontend(frontend))
	}
}

// Preferences are what a frontend keeps for the agent who asks; nil for nothing.
func (s *Service) Preferences(ctx context.Context, frontend string) (*string, error) {
	if err := checkFrontend("frontend", frontend); err != nil {
		return nil, err
	}
	row, err := own(ctx, frontend)(s.Store.Ent.Preference.Query()).Only(viewer.AsSystem(ctx, "own preferences"))
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &row.Value, nil
}

// SetPreferences replaces what a frontend keeps for the agent who asks.
func (s *Service) SetPreferences(ctx context.Context, in SetPreferencesInput) (*string, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	mine := own(ctx, in.Frontend)
	agent := viewer.FromContext(ctx).AgentID
	err := s.Store.Write(viewer.AsSystem(ctx, "own preferences"), func(ctx context.Context, tx *store.Tx) error {
		row, err := mine(tx.Ent.Preference.Query()).Only(ctx)
		switch {
		case ent.IsNotFound(err) && in.Value == nil:
			return nil
		case ent.IsNotFound(err):
			return createPreference(ctx, tx, agent, in)
		case err != nil:
			return err
		case in.Value == nil:
			return tx.Ent.Preference.DeleteOne(row).Exec(ctx)
		}
		return tx.Ent.Preference.UpdateOne(row).SetValue(*in.Value).Exec(ctx)
	})
	if err != nil {
		return nil, err
	}
	return in.Value, nil
}

func createPreference(ctx context.Context, tx *store.Tx, agent int64, in SetPreferencesInput) error {
	n, err := tx.Ent.Preference.Query().Where(preference.AgentID(agent)).Count(ctx)
	if err != nil {
		return err
	}
	if n >= mostPreferences {
		return fault.New(fault.LimitExceeded, "You have preferences of %d frontends, which is the limit. Set those of another to nothing first.", n)
	}
	return tx.Ent.Preference.Create().SetAgentID(agent).SetFrontend(in.Frontend).SetValue(*in.Value).Exec(ctx)
}
