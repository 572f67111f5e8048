package composer_test

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/edge/server"
)

// uploaded is an image of a width in the file store.
func (b *bundle) uploaded(width int) string {
	b.T.Helper()
	var picture bytes.Buffer
	require.NoError(b.T, png.Encode(&picture, image.NewGray(image.Rect(0, 0, width, 1))))
	made, err := b.Schema.Pictures.Upload(b.Context("ada"), &picture)
	require.NoError(b.T, err)
	return made.ID()
}

// opens is the status of a link to an image.
func (b *bundle) opens(link string) int {
	rec := httptest.NewRecorder()
	b.Server.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(b.T.Context(), http.MethodGet, strings.TrimPrefix(link, b.PublicURL()), nil))
	return rec.Code
}

// door is a link with an image of the file store, and another for Germans.
func (b *bundle) door() vars {
	return vars{
		"constants":    []vars{{"name": "Door", "type": "IMAGE", "imageId": b.uploaded(1), "alt": "A door"}},
		"formats":      []vars{{"format": "MEDIA", "title": "Our shop", "url": "https://shop.example.com/", "imageUrl": "{!$Constants.Door}", "imageAlt": "{!$Constants.Door.Alt}"}},
		"translations": []vars{{"locale": "de", "constants": []vars{{"name": "Door", "imageId": b.uploaded(2), "alt": "Eine Tür"}}}},
	}
}

const shapeOf = `... on LinkShape { format image { url alt } }`

func TestAnImageOfTheFileStoreIsSentAsItWasPreviewed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.facebook()
	conversation := b.conversation(customer, facebook)
	component := b.component("ENHANCED_LINK", b.door())
	token := b.prepare("amy", vars{"componentId": component, "conversationId": conversation}).Get("token").String()
	preview := b.As("amy").Do(previewing, vars{"i": vars{"channelTypes": []string{"FACEBOOK_ENHANCED"}, "component": token, "conversationId": conversation}}).Get("previewComponent").List()[0]
	sent := b.send("amy", conversation, token, "send")
	require.Empty(t, sent.Get("errors").List(), sent.String())
	b.drain(conversation)
	payload := b.Carrier.Got()[0].Payload
	require.Equal(t, strings.ReplaceAll(preview.Get("payload").String(), `"customer"`, `"`+customer+`"`), payload)

	_, rest, found := strings.Cut(payload, `"image_url":"`)
	require.True(t, found, payload)
	link, _, _ := strings.Cut(rest, `"`)
	link = strings.ReplaceAll(link, `\u0026`, "&")
	require.Equal(t, http.StatusOK, b.opens(link))

	shown := func() string {
		return b.As("amy").Do(`query($id: ID!) { node(id: $id) { ... on Message { content { ... on ComponentContent { shape { `+shapeOf+` } } } } } }`,
			vars{"id": sent.Get("message", "id").String()}).Get("node", "content", "shape", "image", "url").String()
	}
	first := shown()
	require.NotEqual(t, link, first, "the graph's is not the one for customers")
	require.Equal(t, http.StatusOK, b.opens(first))
	b.Clock.Advance(7 * 24 * time.Hour)
	require.Equal(t, http.StatusOK, b.opens(link), "for a week")
	b.Clock.Advance(24 * time.Hour)
	require.Equal(t, http.StatusGone, b.opens(link))
	require.Equal(t, http.StatusGone, b.opens(first))
	require.Equal(t, http.StatusOK, b.opens(shown()), "a thread shows it for ever")
}

// What waited for a week is sent with a link that opens.
func TestAnImageThatWaitedIsSentWithAFreshLink(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.facebook()
	conversation := b.conversation(customer, facebook)
	token := b.prepare("amy", vars{"componentId": b.component("ENHANCED_LINK", b.door()), "conversationId": conversation}).Get("token").String()
	require.Empty(t, b.send("amy", conversation, token, "send").Get("errors").List())
	b.Clock.Advance(9 * 24 * time.Hour)
	b.drain(conversation)
	_, rest, _ := strings.Cut(b.Carrier.Got()[0].Payload, `"image_url":"`)
	link, _, _ := strings.Cut(rest, `"`)
	require.Equal(t, http.StatusOK, b.opens(strings.ReplaceAll(link, `\u0026`, "&")))
}

func TestImagesNeedAnAddressThatPlatformsReach(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *app.Config) { c.Mode, c.PublicURL = server.Production, "" })
	component := b.component("ENHANCED_LINK", b.door())
	preview := b.As("amy").Do(previewing, vars{"i": vars{"channelTypes": []string{"FACEBOOK_ENHANCED"}, "componentId": component}}).Get("previewComponent").List()[0]
	require.Equal(t, "TEXT", preview.Get("format").String(), preview.String())
	reasons := preview.Get("rejected").List()[0].Get("reasons").List()
	require.Len(t, reasons, 1)
	require.Equal(t, "IMAGE_NOT_PUBLIC", reasons[0].Get("reason").String())
}

func TestImagesOfItemsAndDesigns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sizes := []vars{{"name": "Small", "imageId": b.uploaded(3), "imageAlt": "One"}, {"name": "Large", "imageId": b.uploaded(4), "imageAlt": "Two"}}
	component := b.component("STATIC_QUESTION", vars{
		"constants": []vars{{"name": "Sizes", "type": "LIST", "items": sizes}}, "options": vars{"constant": "Sizes"}, "formats": []vars{{"format": "CARD_CAROUSEL", "text": "Which?"}},
	})
	preview := b.As("amy").Do(previewing, vars{"i": vars{"channelTypes": []string{"FACEBOOK_ENHANCED"}, "componentId": component}}).Get("previewComponent").List()[0]
	require.Equal(t, "CARD_CAROUSEL", preview.Get("format").String(), preview.String())
	for _, o := range preview.Get("shape", "options").List() {
		require.Equal(t, http.StatusOK, b.opens(o.Get("image", "url").String()))
	}
	design := b.As("amy").Do(`query($id: ID!) { component(id: $id) { design { images { width } constants { imageId items { imageId } } } } }`, vars{"id": component}).Get("component", "design")
	require.Len(t, design.Get("images").List(), 2)
	require.Equal(t, sizes[1]["imageId"], design.Get("constants").List()[0].Get("items").List()[1].Get("imageId").String())

	for name, constant := range map[string]vars{
		"input.design.constants.0.imageId":         {"name": "A", "type": "TEXT", "text": "x", "imageId": sizes[0]["imageId"]},
		"input.design.constants.0.alt":             {"name": "A", "type": "IMAGE", "imageId": sizes[0]["imageId"]},
		"input.design.constants.0.items.0.imageId": {"name": "A", "type": "LIST", "items": []vars{{"name": "x", "imageUrl": "https://example.com/x.png", "imageId": sizes[0]["imageId"], "imageAlt": "x"}}},
	} {
		refused := b.create("ada", "X", "ENHANCED_LINK", vars{"constants": []vars{constant}, "formats": []vars{{"format": "RICH_LINK", "title": "x", "url": "https://example.com/"}}})
		require.Equal(t, name, refused.Get("errors").List()[0].Get("field").String(), refused.String())
	}
}
