package channeltest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
)

func runCredentials(t *testing.T, subject func(t *testing.T) Subject) {
	t.Run("are read", func(t *testing.T) {
		t.Parallel()
		b := setup(t, subject)
		require.Empty(t, b.credentials(t, "s").Missing())
		require.NotEmpty(t, b.credentials(t, "").Missing())
		empty, err := b.Provider.ParseCredentials([]byte("{}"))
		require.NoError(t, err)
		require.NotEmpty(t, empty.Missing())
	})
	t.Run("are asked for", func(t *testing.T) {
		t.Parallel()
		b := setup(t, subject)
		all := map[string]string{}
		for _, f := range b.Provider.CredentialFields() {
			require.NotEmpty(t, f.Label)
			require.True(t, strings.HasSuffix(f.Help, "."), f.Help)
			all[f.Name] = "x"
		}
		missing := func(of map[string]string) string {
			document, err := json.Marshal(of)
			require.NoError(t, err)
			c, err := b.Provider.ParseCredentials(document)
			require.NoError(t, err)
			return c.Missing()
		}
		require.Empty(t, missing(all))
		for _, f := range b.Provider.CredentialFields() {
			fewer := maps.Clone(all)
			delete(fewer, f.Name)
			require.Equal(t, f.Required, missing(fewer) != "", f.Name)
		}
	})
	t.Run("of a newer version", func(t *testing.T) {
		t.Parallel()
		b := setup(t, subject)
		newer := strings.Replace(b.Document(b.Secret), "{", `{"unheardOf":[1],`, 1)
		got, err := b.Provider.ParseCredentials([]byte(newer))
		require.NoError(t, err)
		require.Equal(t, b.Account.Credentials, got)
	})
	t.Run("that cannot be read", func(t *testing.T) {
		t.Parallel()
		b := setup(t, subject)
		for _, document := range []string{"", "hush", `"hush"`, "[1]", `{"secret":4711}`, `{"secret":"hush"`, `{} hush`} {
			got, err := b.Provider.ParseCredentials([]byte(document))
			require.Error(t, err, document)
			require.Nil(t, got)
			require.NotContains(t, err.Error(), "hush")
			require.NotContains(t, err.Error(), "4711")
		}
	})
	t.Run("never show", func(t *testing.T) {
		t.Parallel()
		b := setup(t, subject)
		const secret = "hush-hush"
		b.Account.Credentials = b.credentials(t, secret)
		for _, shown := range shownAs(t, b.Account, b.Account.Credentials) {
			require.NotContains(t, shown, secret)
			require.NotContains(t, shown, fmt.Sprintf("%x", secret))
		}
	})
}

// shownAs is whatever prints, logs and encodes values.
func shownAs(t *testing.T, values ...any) (out []string) {
	t.Helper()
	for _, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			out = append(out, fmt.Sprintf(verb, value))
		}
		encoded, err := json.Marshal(value)
		require.NoError(t, err)
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("account", "value", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("account", "value", value)
		out = append(out, string(encoded), log.String())
	}
	return out
}

func runChallenge(t *testing.T, subject func(t *testing.T) Subject) {
	b := setup(t, subject)
	challenger, ok := b.Provider.(channel.Challenger)
	require.Equal(t, b.Challenge != nil, ok, "the subject says how its carrier asks")
	if !ok {
		return
	}
	query, want := b.Challenge()
	got, ok := challenger.Challenge(b.Account, query)
	require.True(t, ok)
	require.Equal(t, want, got)
	require.LessOrEqual(t, len(got), channel.MostChallenge)
	refused := func(a channel.Account, query url.Values) {
		t.Helper()
		got, ok := challenger.Challenge(a, query)
		require.False(t, ok)
		require.Empty(t, got)
	}
	for name := range query {
		for _, value := range []string{"", query.Get(name) + strings.Repeat("x", channel.MostChallenge)} {
			spoilt := url.Values{}
			for other := range query {
				spoilt.Set(other, query.Get(other))
			}
			spoilt.Set(name, value)
			refused(b.Account, spoilt)
		}
	}
	for _, document := range []string{"{}", `{"secret":"s"}`} {
		a := b.Account
		var err error
		a.Credentials, err = b.Provider.ParseCredentials([]byte(document))
		require.NoError(t, err)
		refused(a, query)
		query := url.Values{}
		refused(a, query)
	}
	refused(channel.Account{}, query)
}

func runDemo(t *testing.T, subject func(t *testing.T) Subject) {
	b := setup(t, subject)
	demonstrator, ok := b.Provider.(channel.Demonstrator)
	if !ok {
		return
	}
	demo := demonstrator.DemoAccount()
	require.NotEmpty(t, demo.Key)
	require.NotEmpty(t, demo.Name)
	credentials, err := demo.Credentials(b.Provider)
	require.NoError(t, err)
	require.Empty(t, credentials.Missing())
	require.NotEmpty(t, demonstrator.Pretended(channel.Account{Credentials: credentials}))
	require.NotEmpty(t, demo.Secret, "an earlier version reads the two columns")
	demo.Document = ""
	earlier, err := demo.Credentials(b.Provider)
	require.NoError(t, err)
	require.Empty(t, earlier.Missing())
}
