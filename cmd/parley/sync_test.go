package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

func TestConnectionsByCommand(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	database, key := parleytest.Database(t), filepath.Join(folder, "key")
	try := func(args ...string) (string, error) {
		return command(t, append([]string{"--database", database, "--key-file", key}, args...)...)
	}
	parley := func(args ...string) string {
		t.Helper()
		out, err := try(args...)
		require.NoError(t, err)
		return out
	}
	parley("key", "create")
	added := parley("sync", "add", "webhook", "--name", "Our CRM", "--connection", "crm", "--object-type", "Contact")
	require.Regexp(t, `(?s)^crm \(Our CRM, WEBHOOK\): PAUSED\..*/webhooks/crm/crm\..*\nwhsec_\S{44}\n$`, added)
	require.NotContains(t, parley("sync", "status", "crm"), "whsec_")
	require.Regexp(t, `^crm .*: UP_TO_DATE\.\n`, parley("sync", "start", "crm"))
	require.Regexp(t, `\nwhsec_\S{44}\n$`, parley("sync", "secret", "crm"))
	require.Regexp(t, `^crm .*: PAUSED\.\n`, parley("sync", "pause", "crm"))
	require.Equal(t, "Taken: 0. Rejected again: 0.\n", parley("sync", "retry", "crm"))
	_, err := try("sync", "start", "nothing")
	require.ErrorContains(t, err, "its connections are: crm")

	secret, types := filepath.Join(folder, "secret"), filepath.Join(folder, "types.json")
	require.NoError(t, os.WriteFile(secret, []byte("hush\n"), 0o600))
	_, err = try("sync", "add", "salesforce", "--name", "SF", "--address", "https://example.my.salesforce.com", "--object-type", "Lead", "--credential", "clientId=app", "--credential", "clientSecret=hush")
	require.ErrorContains(t, err, "a command line can be read by others")
	_, err = try("sync", "add", "salesforce", "--name", "SF", "--address", "http://example.my.salesforce.com", "--object-type", "Lead", "--credential", "clientId=app", "--credential", "clientSecret=@"+secret)
	require.ErrorContains(t, err, "https")
	parley("sync", "add", "salesforce", "--name", "SF", "--connection", "sf", "--address", "https://127.0.0.1:1", "--object-type", "Lead", "--credential", "clientId=app", "--credential", "clientSecret=@"+secret)
	require.NoError(t, os.WriteFile(types, []byte(`[{"objectType": "lead", "object": "Lead", "mappings": [{"field": "Phone", "from": "Cell__c"}]}]`), 0o600))
	_, err = try("sync", "set", "sf", "--types", types)
	require.ErrorContains(t, err, `no object type "lead"`)
	require.NoError(t, os.WriteFile(types, []byte(`[{"objectType": "Lead", "mappings": [{"field": "phone", "from": "Cell__c"}]}]`), 0o600))
	parley("sync", "set", "sf", "--types", types)
	var shown struct {
		ObjectTypes json.RawMessage
		LastError   string
	}
	require.NoError(t, json.Unmarshal([]byte(parley("sync", "status", "sf", "--json")), &shown))
	require.JSONEq(t, `[{"objectType": "Lead", "object": "Lead", "mappings": [{"field": "Phone", "from": "Cell__c"}], "read": 0}]`, string(shown.ObjectTypes))
	require.NoError(t, os.WriteFile(types, shown.ObjectTypes, 0o600))
	parley("sync", "set", "sf", "--types", types) // what is shown can be set
	require.Regexp(t, `(?m)^Lead +0 +unknown +no`, parley("sync", "status", "sf"))
	out, err := try("sync", "test", "sf")
	require.ErrorContains(t, err, "does not work")
	require.Contains(t, out, "cannot be reached")
	require.Regexp(t, `(?m)^sf +SF +SALESFORCE +PAUSED +0 +0 *$`, parley("sync", "list"))
	require.NotContains(t, parley("audit", "list"), "hush")
	require.Contains(t, parley("key", "rotate"), "connections")
	require.Equal(t, "sf is deleted. Its records stay.\n", parley("sync", "remove", "sf"))
	require.NotContains(t, parley("sync", "list"), "SALESFORCE")
}
