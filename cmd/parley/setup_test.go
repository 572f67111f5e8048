package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/edge/server"
)

// A new organisation is one command away from its first token, and running it again goes
// on where it was left.
func TestSetupMakesTheFirstAdministratorAccountAndNumber(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	database := filepath.Join(folder, "parley.db")
	secret := filepath.Join(folder, "secret")
	require.NoError(t, os.WriteFile(secret, []byte("hush"), 0o600))
	_, err := command(t, "setup", "--database", database)
	require.ErrorContains(t, err, "--username is missing")
	_, err = command(t, "setup", "--database", database, "--username", "ada", "--name", "Ada", "--zone", "Europe/Nowhere")
	require.ErrorContains(t, err, `no time zone "Europe/Nowhere"`)
	_, err = command(t, "setup", "--database", database, "--username", "ada", "--name", "Ada Berg", "--zone", "Europe/Berlin")
	require.ErrorContains(t, err, "--provider is missing", "the administrator is made")

	all := []string{"setup", "--database", database, "--provider", "sandbox", "--credential", "secret=@" + secret, "--skip-test", "--sender", "(202) 555-0100", "--country", "us"}
	printed, err := command(t, all...)
	require.NoError(t, err)
	for _, line := range []string{"ada (is there already)", "sandbox (created)", "+12025550100 (created)", "/webhooks/sandbox/"} {
		require.Contains(t, printed, line)
	}
	require.NotContains(t, printed, "hush")
	require.Regexp(t, regexp.MustCompile(`(?m)^  ey\S+$`), printed, "a token")
	for _, other := range [][]string{{"--username", "zed"}, {"--sender", "+12025550177"}} {
		_, err = command(t, append([]string{"setup", "--database", database, "--skip-test"}, other...)...)
		require.ErrorContains(t, err, "already", "what is there is not what was named")
	}
	_, err = command(t, "setup", "--database", database, "--skip-test", "--provider", "twilio")
	require.ErrorContains(t, err, "sid is missing", "the sandbox is not the carrier that was named")
	all[len(all)-3] = "+12025550100"
	again, err := command(t, all...)
	require.NoError(t, err)
	require.Equal(t, 3, strings.Count(again, "(is there already)"))
	listed, err := command(t, "channel", "list", "--database", database)
	require.NoError(t, err)
	require.Contains(t, listed, "ada")
	require.FileExists(t, database+".key")
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
