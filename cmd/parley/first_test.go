package main

import (
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

// The commands of docs/operations.md make agents who can sign in, and a
// number that they share.
func TestFirstAgentsAreMadeAsTheDocsSay(t *testing.T) {
	t.Parallel()
	docs, err := os.ReadFile("../../docs/operations.md")
	require.NoError(t, err)
	commands := regexp.MustCompile("(?s)## Agents and permissions.*?```sh\n(.*?)```").FindSubmatch(docs)
	require.NotNil(t, commands)
	numbers := regexp.MustCompile("(?s)## First numbers.*?```sh\n(.*?)```").FindSubmatch(docs)
	require.NotNil(t, numbers)
	database := parleytest.Empty(t)
	require.NoError(t, run(t.Context(), []string{"migrate", "--database", database}, io.Discard))
	enter := func(block []byte) {
		for line := range strings.Lines(string(block)) {
			var args []string
			for _, arg := range regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(line, -1)[1:] {
				args = append(args, strings.Trim(arg, `"`))
			}
			require.NoError(t, run(t.Context(), append(args, "--database", database), io.Discard), line)
		}
	}
	enter(commands[1])
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(folder+"/token", []byte("hush"), 0o600))
	for _, args := range [][]string{
		{"key", "create"},
		{"account", "add", "twilio", "--name", "Twilio", "--account", "main", "--credential", "sid=AC1", "--credential", "secret=@" + folder + "/token"},
	} {
		require.NoError(t, run(t.Context(), append(args, "--key-file", folder+"/key", "--database", database), io.Discard))
	}
	enter(numbers[1])
	s, err := store.Open(t.Context(), store.Options{URL: database})
	require.NoError(t, err)
	require.Equal(t, []string{"2"}, parleytest.Rows(t, s, "SELECT COUNT(*) FROM channel_members"))
	require.NoError(t, s.Close())
	for _, agent := range []string{"ada", "bo"} {
		printed, err := command(t, "token", agent, "--database", database)
		require.NoError(t, err)
		require.NotEmpty(t, printed)
	}
}
