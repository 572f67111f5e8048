package channeltest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
)

// question has options for every format of a question.
func question(f channel.Format) channel.Structured {
	s := channel.Structured{Format: f, Text: "Which size?", Label: "Sizes", Plain: "Which size?\n1. Small\n2. Medium\n3. Large"}
	for _, title := range []string{"Small", "Medium", "<b>Large</b>"} {
		s.Options = append(s.Options, channel.Option{Token: "token of " + title, Title: title, Image: &channel.Image{URL: "https://shop.example.com/" + title}})
	}
	if f == channel.RegisteredTemplate {
		s.Template = &channel.Template{Name: "which_size", Language: "en"}
	}
	return s
}

// questionFormats are the formats in which channels of type on show a question.
func questionFormats(on channel.Type) (all []channel.Format) {
	for _, r := range channel.CapabilitiesOf(on).Formats {
		if r.MaxOptions > 0 {
			all = append(all, r.Format)
		}
	}
	return all
}

func (b *bench) sendOn(t *testing.T, on channel.Type, s channel.Structured) channel.Result {
	t.Helper()
	m := outgoing("")
	m.Type, m.Content = on, s
	return b.Provider.Send(t.Context(), b.Account, m)
}

// runComponents tests what a provider owes components: as text on channels that text, in
// every format of those it carries, and otherwise a refusal without a call.
func runComponents(t *testing.T, subject func(t *testing.T) Subject) {
	for _, on := range channel.Types() {
		t.Run(string(on), func(t *testing.T) {
			t.Parallel()
			b := setup(t, subject)
			_, taps := b.Provider.(channel.Tapper)
			shown := taps && channel.Carries(b.Provider, on)
			if on.IsSMS() {
				got := b.sendOn(t, on, question(channel.PlainText))
				require.Equal(t, channel.Accepted, got.Outcome, got.Detail)
				require.Equal(t, []string{question(channel.PlainText).Plain}, b.Taken())
			}
			for _, f := range questionFormats(on) {
				if !shown {
					require.Equal(t, channel.Unsupported(question(f)), b.sendOn(t, on, question(f)))
					continue
				}
				b := setup(t, subject)
				got := b.sendOn(t, on, question(f))
				require.Equal(t, channel.Accepted, got.Outcome, got.Detail)
				require.Len(t, b.Taken(), 1)
				b.requireTaps(t, question(f))
			}
		})
	}
	t.Run("one beyond a limit", func(t *testing.T) {
		t.Parallel()
		b := setup(t, subject)
		for _, on := range channel.Types() {
			for _, r := range channel.CapabilitiesOf(on).Formats {
				if r.Format == channel.PlainText {
					continue // as with any text, its length is the carrier's matter
				}
				for reason, spoilt := range Beyond(r) {
					got := b.sendOn(t, on, spoilt)
					require.Equal(t, channel.Rejected, got.Outcome, "%s %s %s", on, r.Format, reason)
					require.Equal(t, channel.CannotBeSent, got.Code)
				}
			}
		}
		require.Empty(t, b.Taken())
	})
}

// requireTaps taps every option of what was sent last: what comes in has its token, and
// its title as the text.
func (b *bench) requireTaps(t *testing.T, sent channel.Structured) {
	t.Helper()
	m := inbound()
	m.Media = nil
	tap := func(n int) channel.Delivery {
		req, err := b.Provider.(channel.Tapper).ComposeTap(b.Account, webhookURL, m, n)
		require.NoError(t, err)
		w := received(t, req)
		require.True(t, b.Provider.Verify(b.Account, w))
		return b.Provider.Parse(b.Account, w)
	}
	for i, o := range sent.Options {
		got := tap(i + 1)
		require.Empty(t, got.Bad)
		require.Len(t, got.Messages, 1)
		want := m
		want.Text, want.Tapped, want.ProviderID = o.Title, o.Token, got.Messages[0].ProviderID
		if sent.Template != nil { // whose buttons are registered with their titles
			want.Text = got.Messages[0].Text
		}
		require.Equal(t, want, got.Messages[0])
	}
	for _, n := range []int{-1, 0, len(sent.Options) + 1} {
		got := tap(n)
		require.Empty(t, got.Messages)
		require.Len(t, got.Bad, 1)
	}
}
