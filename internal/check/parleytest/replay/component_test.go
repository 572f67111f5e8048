package replay_test

import (
	"bytes"
	"crypto/rand"
	"image"
	"image/png"
	mathrand "math/rand/v2"

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

// image is a new one.
func (p *player) image() string {
	var picture bytes.Buffer
	require.NoError(p.t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 1+mathrand.IntN(999), 1+mathrand.IntN(99)))))
	made, err := p.Schema.Pictures.Upload(p.System(), &picture)
	require.NoError(p.t, err)
	return made.ID()
}
