package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/edge/server"
	"parley/internal/ground/store"
)

var aToken = regexp.MustCompile(`(?m)^  ey\S+$`)

// A new organisation is one command away from its first token, and running it again goes
// on where it was left.
func TestSetupMakesTheFirstAdministratorAccountAndNumber(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	database := filepath.Join(folder, "parley.db")
	secret := filepath.Join(folder, "secret")
	require.NoError(t, os.WriteFile(secret, []byte("hush"), 0o600))
	_, err := command(t, "setup", "--database", database)
	require.ErrorContains(t, err, "missing: --username, --name, --provider, --sender; give them")
	_, err = command(t, "setup", "--database", database, "--username", "ada", "--name", "Ada", "--time-zone", "Europe/Nowhere")
	require.ErrorContains(t, err, "--time-zone: There is no such time zone")
	admin := []string{"setup", "--database", database, "--username", "ada", "--name", "Ada Berg", "--time-zone", "Europe/Berlin", "--organisation", "Acme"}
	for wrong, says := range map[string][]string{
		"missing: --provider, --sender;": {},
		"--provider: there is no":        {"--provider", "carrier-pigeon"},
		"missing: --sender;":             {"--provider", "sandbox"},
		"--sender: The address has":      {"--provider", "sandbox", "--sender", "2025550100"},
		"--type: This version does":      {"--provider", "sandbox", "--sender", "+12025550100", "--type", "PIGEON"},
		"--country: \"XY\" is not a":     {"--provider", "sandbox", "--sender", "+12025550100", "--country", "XY"},
		"--public-url: it is not a p":    {"--provider", "sandbox", "--sender", "+12025550100", "--public-url", "parley"},
	} {
		_, err = command(t, append(slices.Clone(admin), says...)...)
		require.ErrorContains(t, err, wrong)
	}
	_, err = command(t, "agent", "list", "--database", database)
	require.ErrorIs(t, err, store.ErrNoDatabase, "nothing is made before everything is right")
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, files, 1, "but the secret")

	all := append(slices.Clone(admin), "--provider", "sandbox", "--credential", "secret=@"+secret, "--skip-test", "--country", "us", "--locale", "en-us", "--sender", "(202) 555-0100")
	printed, err := command(t, all...)
	require.NoError(t, err)
	for _, line := range []string{"Acme (Europe/Berlin)", "ada (created)", "sandbox (created)", "+12025550100 (created)", "/webhooks/sandbox/"} {
		require.Contains(t, printed, line)
	}
	require.NotContains(t, printed, "hush")
	require.Regexp(t, aToken, printed)
	organisation, err := command(t, "organization", "show", "--json", "--database", database)
	require.NoError(t, err)
	require.JSONEq(t, `{"name": "Acme", "timeZone": "Europe/Berlin", "locale": "en-US", "country": "US", "currencyRates": []}`, organisation)
	for _, other := range [][]string{{"--username", "zed"}, {"--sender", "+12025550177"}, {"--organisation", "Ajax"}, {"--zone", "UTC"}, {"--locale", "de"}, {"--country", "DE"}} {
		_, err = command(t, append([]string{"setup", "--database", database, "--skip-test"}, other...)...)
		require.ErrorContains(t, err, "already", "what is there is not what was named")
	}
	_, err = command(t, "setup", "--database", database, "--skip-test", "--provider", "twilio")
	require.ErrorContains(t, err, "missing: --credential sid=@FILE, --credential secret=@FILE, --sender;", "the sandbox is not the carrier that was named")
	all[len(all)-1] = "+12025550100"
	again, err := command(t, all...)
	require.NoError(t, err)
	require.Equal(t, 3, strings.Count(again, "(is there already)"))
	require.NotRegexp(t, aToken, again, "only a new administrator gets one")
	require.Contains(t, again, "parley token ada --database "+database)
	listed, err := command(t, "channel", "list", "--database", database)
	require.NoError(t, err)
	require.Contains(t, listed, "ada")
	require.FileExists(t, database+".key")
}

// Whoever answers wrongly is asked again, and the sandbox needs no secret.
func TestSetupAsksUntilTheAnswerIsRight(t *testing.T) {
	t.Parallel()
	answers := map[string][]string{
		"Name of the organisation": {""}, "Its time zone": {"Nowhere", "Europe/Berlin"}, "Its language": {"mul", "de"}, "Its country": {"Germany", "DE"},
		"Username": {"", "eva eva", "eva"}, "Their name": {"", "Eva"}, "Carrier": {"pigeon", "sandbox"}, "First sender ID": {"12", "030 901820"},
	}
	asked := 0
	setup := setupCmd{Type: "SMS_LONG_CODE", TTL: time.Hour, PublicURL: "https://desk.example.com/", SkipTest: true, prompt: func(label string, _ bool) (string, error) {
		for begins, left := range answers {
			if strings.HasPrefix(label, begins) && len(left) > 0 {
				answers[begins] = left[1:]
				asked++
				return left[0], nil
			}
		}
		return "", errors.New("asked once too often: " + label)
	}}
	var out bytes.Buffer
	require.NoError(t, setup.Run(t.Context(), &cli{Database: filepath.Join(t.TempDir(), "parley.db")}, &out))
	require.Equal(t, 16, asked)
	for _, line := range []string{"Parley (Europe/Berlin)", "eva (created)", "+4930901820 (created)", "--public-url https://desk.example.com\n", "https://desk.example.com/webhooks/sandbox/"} {
		require.Contains(t, out.String(), line)
	}
}

func TestServeSaysWhatToDoFirst(t *testing.T) {
	t.Parallel()
	for database, says := range map[string]bool{parleytest.Empty(t): true, parleytest.Database(t): false} {
		p := parleytest.OpenAt(t, database, func(c *app.Config) { c.Create = true })
		var out bytes.Buffer
		(&serveCmd{Mode: server.Production}).greet(&out, p.App)
		require.Equal(t, says, strings.Contains(out.String(), os.Args[0]+" setup --database "), out.String())
	}
}
