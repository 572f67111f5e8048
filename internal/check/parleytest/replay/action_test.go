package replay_test

import (
	"crypto/rand"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/action"
	"parley/internal/desk/crmaction"
)

// action is a new one that amy can take anywhere.
func (p *player) action() string {
	return p.defined(crmaction.CreateInput{Performs: action.OpenURL, Type: action.Manual, Parameters: []action.Parameter{
		{Label: "Address", Key: action.Address, Source: action.URL, Value: "https://crm.example.com/"},
	}})
}

// calling is a new one that calls a webhook which nobody answers.
func (p *player) calling() string {
	return p.defined(crmaction.CreateInput{Performs: action.CallWebhook, Type: action.Manual, Parameters: []action.Parameter{
		{Label: "Address", Key: action.Address, Source: action.URL, Value: "http://127.0.0.1:1/"},
	}})
}

func (p *player) defined(in crmaction.CreateInput) string {
	in.Name, in.DeveloperName, in.IdempotencyKey = "New", "A"+rand.Text(), rand.Text()
	made, _, err := p.Schema.Actions.Create(p.System(), in)
	require.NoError(p.t, err)
	return made.ID
}

// refused is a run whose webhook was given up.
func (p *player) refused() string {
	ran, err := p.Schema.Actions.Run(p.Context("amy"), crmaction.RunInput{ActionID: p.calling(), ConversationID: p.conversation(), IdempotencyKey: rand.Text()})
	require.NoError(p.t, err)
	p.Eventually(func() bool {
		return p.As("ada").Do(`query($id: ID!) { node(id: $id) { ... on CrmActionRun { delivery { status } } } }`, parleytest.Vars{"id": ran.Run.ID()}).
			Get("node", "delivery", "status").String() == "FAILED"
	}, "the webhook was given up")
	return ran.Run.ID()
}
