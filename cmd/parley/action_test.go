package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

const notify = `{"name": "Notify", "developerName": "Notify", "performs": "CALL_WEBHOOK", "type": "AUTOMATIC", "isActive": true, "objectTypes": ["Contact"], "trigger": "RECORD_CHANGED",
	"parameters": [{"label": "Address", "key": "Url", "type": "URL", "value": "https://crm.example.com/hook"}],
	"conditions": [{"object": "Contact", "field": "LastName", "operator": "STARTS_WITH", "value": "Iv"}]}`

func TestActionsByCommand(t *testing.T) {
	t.Parallel()
	database, key := parleytest.Database(t), filepath.Join(t.TempDir(), "key")
	try := func(args ...string) (string, error) {
		return command(t, append([]string{"--database", database, "--key-file", key}, args...)...)
	}
	parley := func(args ...string) string {
		t.Helper()
		out, err := try(args...)
		require.NoError(t, err)
		return out
	}
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	parley("key", "create")
	parley("action", "set", write("notify.json", notify))
	shown := parley("action", "show", "notify")
	require.Equal(t, shown, parley("action", "set", write("again.json", shown)), "what is shown can be set")
	require.Regexp(t, `(?m)^Notify +Notify +CALL_WEBHOOK +AUTOMATIC RECORD_CHANGED +Contact +active$`, parley("action", "list"))
	require.Regexp(t, `^whsec_\S{44}\n$`, parley("action", "secret", "Notify"))
	_, err := try("action", "show", "Missing")
	require.ErrorContains(t, err, "parley action list")
	_, err = try("action", "set", write("bad.json", `{"naem": "x"}`))
	require.ErrorContains(t, err, "parley action show")
	require.NotContains(t, parley("audit", "list"), "whsec_")

	parley("record", "import", write("contacts.csv", "Id,LastName\nC1,Iverson\nC2,Kim\n"), "--object-type", "Contact")
	require.Regexp(t, `^RUN +AT +ACTION +BY +OUTCOME +WEBHOOK +WHY\n$`, parley("action", "runs"), "no server works")
	_, err = try("action", "rerun", "run_0000000000000")
	require.ErrorContains(t, err, "No such run")
}
