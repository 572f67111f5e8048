package replay_test

import (
	"bytes"
	"crypto/rand"
	"image"
	"image/png"
	mathrand "math/rand/v2"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/desk/component"
	"parley/internal/desk/composer"
	"parley/internal/ground/publicid"
)

// component is a new one.
func (p *player) component() string {
	return p.composed(component.EnhancedLink, component.Format{Format: channel.RichLink, Title: "Home", URL: "https://example.com/"})
}

// timeSelector is a new one.
func (p *player) timeSelector() string {
	return p.composed(component.TimeSelector, component.Format{Format: channel.Buttons, Text: "When?"})
}

func (p *player) composed(kind component.Kind, format component.Format) string {
	made, err := p.Schema.Composer.Create(p.System(), composer.CreateInput{
		Name: "New", DeveloperName: "C" + rand.Text(), Kind: kind, IdempotencyKey: rand.Text(), Design: component.Design{Formats: []component.Format{format}},
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

// customerToken is that of a new conversation.
func (p *player) customerToken() string {
	key, _ := p.Conversations.IDs.Decode(publicid.Conversation, p.conversation())
	return component.CustomerToken(p.Conversations.Cursors.Sealer, key, 0, p.Clock.Now().Add(time.Hour))
}
