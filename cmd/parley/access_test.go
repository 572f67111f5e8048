package main

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What an operator does for a program, from its account to the end of its token.
func TestAProgramIsLetInByCommands(t *testing.T) {
	t.Parallel()
	database := filepath.Join(t.TempDir(), "parley.db")
	parley := func(words ...string) string {
		printed, err := command(t, append(words, "--database", database)...)
		require.NoError(t, err, "%v", words)
		return printed
	}
	parley("migrate")
	require.Contains(t, parley("access", "list"), "parley access add")
	require.Equal(t, "crm (CRM): STANDARD, licensed, active. Permission sets: none.\n", parley("agent", "add", "crm", "--name", "CRM", "--service"))
	require.Contains(t, parley("agent", "list"), "SERVICE")
	require.Regexp(t, `^pat_[a-z2-7]{58}\n$`, parley("access", "add", "crm", "--name", "Sync", "--scope", "read", "--scope", "SEND", "--expires", "24h"))
	var made accessLine
	require.NoError(t, json.Unmarshal([]byte(parley("access", "add", "crm", "--json")), &made))
	require.Regexp(t, `^pat_`, made.Token)
	var all []accessLine
	require.NoError(t, json.Unmarshal([]byte(parley("access", "list", "--json")), &all))
	require.Len(t, all, 2)
	require.Empty(t, all[0].Token)
	require.Contains(t, parley("access", "list"), "READ, SEND")
	require.Equal(t, made.ID+" is revoked.\n", parley("access", "revoke", made.ID))
	require.JSONEq(t, `{"revokedId": "`+all[1].ID+`"}`, parley("access", "revoke", "--json", all[1].ID))
	_, err := command(t, "access", "add", "crm", "--scope", "fly", "--database", database)
	require.EqualError(t, err, `--scope: There is no scope "FLY". The scopes are READ, SEND and ADMINISTER.`)
	parley("access", "add", "crm")
	parley("agent", "revoke-tokens", "crm", "--before", "2020-01-31T09:00:00Z")
	require.Contains(t, parley("access", "list"), "crm", "it was issued later")
	_, err = command(t, "agent", "revoke-tokens", "crm", "--before", "2999-01-31T09:00:00Z", "--database", database)
	require.ErrorContains(t, err, "--before: The instant must not be in the future")
	parley("agent", "revoke-tokens", "crm")
	require.Contains(t, parley("access", "list"), "There are no access tokens")
	_, err = command(t, "agent", "add", "bot", "--name", "Bot", "--service", "--role", "ADMIN", "--database", database)
	require.ErrorContains(t, err, "leave out --role")
}

func TestSigningKeysAreRotatedByCommands(t *testing.T) {
	t.Parallel()
	database := filepath.Join(t.TempDir(), "parley.db")
	signing := func(words ...string) (keys []signingLine) {
		printed, err := command(t, append([]string{"signing"}, append(words, "--json", "--database", database)...)...)
		require.NoError(t, err, "%v", words)
		require.NoError(t, json.Unmarshal([]byte(printed), &keys))
		return keys
	}
	_, err := command(t, "migrate", "--database", database)
	require.NoError(t, err)
	require.Equal(t, []signingLine{{ID: "first", State: "SIGNING"}}, signing("list"))
	_, err = command(t, "signing", "retire", "first", "--database", database)
	require.ErrorContains(t, err, "parley signing rotate")
	require.Len(t, signing("rotate"), 2)
	keys := signing("retire", "first")
	require.EqualValues(t, "RETIRED", keys[0].State)
	require.EqualValues(t, "SIGNING", keys[1].State)
	printed, err := command(t, "signing", "list", "--database", database)
	require.NoError(t, err)
	require.Contains(t, printed, "with the database")
}
