package replay_test

import (
	"crypto/rand"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/desk/component"
	"parley/internal/desk/composer"
)

// component is a new one.
func (p *player) component() string {
	made, err := p.Schema.Composer.Create(p.System(), composer.CreateInput{
		Name: "New", DeveloperName: "C" + rand.Text(), Kind: component.EnhancedLink, IdempotencyKey: rand.Text(),
		Design: component.Design{Formats: []component.Format{{Format: channel.RichLink, Title: "Home", URL: "https://example.com/"}}},
	})
	require.NoError(p.t, err)
	return made.ID()
}
