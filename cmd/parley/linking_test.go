package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

func TestLinkingRulesByCommand(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	try := func(args ...string) (string, error) {
		return command(t, append([]string{"--database", database}, args...)...)
	}
	parley := func(args ...string) string {
		t.Helper()
		out, err := try(args...)
		require.NoError(t, err)
		return out
	}
	require.Equal(t, parleytest.Sales+": By number finds Contact by all phone fields. AUTOMATIC, DURING, active.\n",
		parley("linking", "add", parleytest.Sales, "By number", "--object-type", "Contact", "--mode", "AUTOMATIC"))
	require.Equal(t, parleytest.Sales+": By number finds Contact by all phone fields, where Title = \"Farmer\". AUTOMATIC, DURING, active.\n",
		parley("linking", "set", parleytest.Sales, "By number", "--condition", `Title = "Farmer"`))
	require.Regexp(t, `"mode": "SUGGESTED"`, parley("linking", "set", parleytest.Sales, "by number", "--mode", "SUGGESTED", "--field", "MobilePhone", "--order", "3", "--no-active", "--json"))
	require.Regexp(t, `(?m)^`+`\`+parleytest.Sales+` +3 +By number +Contact +MobilePhone +SUGGESTED +DURING +deactivated$`, parley("linking", "list"))
	require.NotContains(t, parley("linking", "list", "--channel", parleytest.Direct, "--json"), "By number")
	_, err := try("linking", "set", parleytest.Sales, "By number", "--condition", "Titel = 1")
	require.ErrorContains(t, err, "Did you mean Title?")
	_, err = try("linking", "add", parleytest.Sales, "Other", "--object-type", "Nothing", "--mode", "AUTOMATIC")
	require.ErrorContains(t, err, "No such object type")
	_, err = try("linking", "remove", parleytest.Sales, "Other")
	require.ErrorContains(t, err, "parley linking list")
	require.Contains(t, parley("linking", "remove", parleytest.Sales, "By number"), "Removed")
	require.NotContains(t, parley("linking", "list"), "By number")
	require.Regexp(t, `DELETED +LinkingRule`, parley("audit", "list"))
}
