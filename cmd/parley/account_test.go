package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

// An empty database gets its account and its key by the command line, which never shows a
// secret.
func TestAccountsAndTheirKeyAreManagedByCommands(t *testing.T) {
	t.Parallel()
	database, folder := parleytest.Empty(t), t.TempDir()
	key, secret := filepath.Join(folder, "key"), filepath.Join(folder, "secret")
	require.NoError(t, os.WriteFile(secret, []byte("hush-hush\n"), 0o600))
	try := func(args ...string) (string, error) {
		out, err := command(t, append([]string{"--database", database, "--key-file", key}, args...)...)
		require.NotContains(t, out, "hush")
		return out, err
	}
	parley := func(args ...string) string {
		t.Helper()
		out, err := try(args...)
		require.NoError(t, err)
		return out
	}
	parley("migrate")
	require.Contains(t, parley("account", "list"), "The providers are sandbox, twilio.")
	require.Contains(t, parley("key", "list"), "parley key create")
	given := "secret=@" + secret
	_, err := try("account", "add", "sandbox", "--name", "Main", "--credential", given)
	require.ErrorContains(t, err, "run parley key create")
	require.Contains(t, parley("key", "create"), "Keep a copy apart")
	require.Contains(t, parley("account", "add", "sandbox", "--name", "Main", "--account", "main", "--credential", given), "main (Main, sandbox): active. Credentials ")
	require.Contains(t, parley("account", "set", "main", "--name", "Sandbox"), "main (Sandbox, sandbox): active.")
	require.Contains(t, parley("account", "test", "main"), "accepts the credentials")
	require.NoError(t, os.WriteFile(secret, []byte("hush-hush-2"), 0o600))
	require.Contains(t, parley("account", "credentials", "main", "--credential", given), "--retire-previous ends that")
	require.NotContains(t, parley("account", "credentials", "main", "--retire-previous"), "ends that")
	require.Contains(t, parley("account", "deactivate", "main"), "deactivated")
	require.Contains(t, parley("account", "activate", "main"), "main (Sandbox, sandbox): active.")
	var accounts []accountLine
	require.NoError(t, json.Unmarshal([]byte(parley("account", "list", "--json")), &accounts))
	require.Len(t, accounts, 1)
	require.True(t, accounts[0].Encrypted && accounts[0].Active)
	require.Contains(t, parley("account", "list"), accounts[0].Fingerprint)

	var keys []keyLine
	read := func() {
		require.NoError(t, json.Unmarshal([]byte(parley("key", "list", "--json")), &keys))
	}
	_, err = try("key", "create")
	require.ErrorContains(t, err, "there is a key already, in "+key)
	require.ErrorContains(t, err, "run parley key rotate")
	require.NoError(t, json.Unmarshal([]byte(parley("key", "add", "--json")), &keys))
	require.Equal(t, []keyLine{{keys[0].Key, "encrypts", 1}, {keys[1].Key, "new: encrypts after parley key rotate", 0}}, keys)
	_, err = try("key", "retire", keys[1].Key)
	require.ErrorContains(t, err, "added for the next rotation")
	require.Contains(t, parley("key", "rotate"), "encrypted with it: 1.")
	read()
	require.Equal(t, []keyLine{{keys[0].Key, "old", 0}, {keys[1].Key, "encrypts", 1}}, keys)
	old := keys[0].Key
	require.NoError(t, json.Unmarshal([]byte(parley("key", "retire", old, "--json")), &keys))
	require.Len(t, keys, 1)
	require.NoError(t, json.Unmarshal([]byte(parley("key", "rotate", "--json")), &keys))
	require.Equal(t, []keyLine{{keys[0].Key, "old", 0}, {keys[1].Key, "encrypts", 1}}, keys)
	audited := parley("audit", "list", "--most", "20")
	for _, what := range []string{"DELETED", "CREATED", "UPDATED"} {
		require.Regexp(t, "command line.*"+what+".*CredentialKey", audited)
	}
	require.NotContains(t, audited, "directory")
	require.NotContains(t, parley("key", "list"), old)
	require.NoError(t, os.Remove(key))
	require.Contains(t, parley("key", "list"), "missing")
	_, err = try("account", "test", "main")
	require.ErrorIs(t, err, errAccountFails)
	require.Contains(t, parley("key", "create", "--replace-lost"), "Accounts, actions, connections and time selectors that need new credentials: 1.")
	require.Contains(t, parley("account", "credentials", "main", "--credential", given), "active. Credentials "+accounts[0].Fingerprint)

	for want, args := range map[string][]string{
		"a command line can be read by others":                                 {"account", "credentials", "main", "--credential", "secret=hush"},
		"secret is missing: give --credential secret=@FILE":                    {"account", "credentials", "main"},
		"the environment has no PARLEY_TEST_NO_SUCH":                           {"account", "credentials", "main", "--credential", "secret=env:PARLEY_TEST_NO_SUCH"},
		`there is no provider "fax"; the providers are: sandbox, twilio`:       {"account", "add", "fax", "--name", "Fax"},
		`there is no account "other" in this database; its accounts are: main`: {"account", "test", "other"},
		"nothing to change": {"account", "set", "main"},
	} {
		_, err := try(args...)
		require.ErrorContains(t, err, want, strings.Join(args, " "))
	}
}
