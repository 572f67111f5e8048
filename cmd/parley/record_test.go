package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/object"
)

// An organisation's object types and records come in by the command line alone.
func TestRecordsComeInByCommands(t *testing.T) {
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
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	require.Regexp(t, `(?m)^Contact +Contact +\d+ +MobilePhone, Phone, HomePhone$`, parley("object", "list"))
	visit := write("visit.json", `{"name": "Visit__c", "label": "Visit", "fields": [{"name": "Name", "label": "Name", "type": "TEXT", "isFilterable": true},
		{"name": "Mobile__c", "label": "Mobile", "type": "PHONE"}, {"name": "Fee__c", "label": "Fee", "type": "CURRENCY"}], "messaging": {"name": "Name", "phones": [{"field": "Mobile__c"}]}}`)
	parley("object", "set", visit)
	shown := parley("object", "show", "Visit__c")
	require.Equal(t, shown, parley("object", "set", write("again.json", shown)), "what is shown can be set")
	_, err := try("object", "show", "Missing")
	require.ErrorContains(t, err, "parley object list")
	_, err = try("object", "set", write("bad.json", `{"naem": "Visit__c"}`))
	require.ErrorContains(t, err, "naem")

	file := write("visits.csv", "Id,Name,Mobile__c,Fee__c,Changed,Remark\nV1,Ann,+1 202 555 0111,12.50,2026-01-02T03:04:05Z,x\nV2,Bob,,much,2026-01-02T03:04:05Z,\nV1,Anne,+1 202 555 0111,12.50,2026-01-02T03:04:06Z,\n")
	out, err := try("record", "import", file, "--object-type", "Visit__c", "--modified-at", "Changed", "--field", "Remark=")
	require.Error(t, err)
	require.Equal(t, "Rows: 3. Created: 1, updated: 1, unchanged: 0, older: 0, merged: 0. Refused: 1.\n  line 3: Fee__c takes a number such as 12.50, not \"much\".\n", out)
	out, err = try("record", "import", file, "--object-type", "Visit__c", "--modified-at", "Changed")
	require.Error(t, err)
	require.Contains(t, out, `Visit__c has no field for the column "remark"`)
	lines := write("visits.jsonl", `{"ObjectType": "Visit__c", "Id": "V3", "Visitor": "Cy"}`+"\n"+`{"ObjectType": "Nothing", "Id": "N"}`+"\n")
	out, err = try("record", "import", lines, "--field", "Visitor=Name", "--json")
	require.Error(t, err)
	require.JSONEq(t, `{"rows": 2, "outcomes": {"CREATED": 1}, "refused": 1, "refusals": [{"line": 2, "reason": "there is no object type \"Nothing\""}]}`, out)

	audit, err := try("audit", "list")
	require.NoError(t, err)
	require.Regexp(t, `IMPORTED +Record visits.csv +2 times`, audit)
	require.Equal(t, "EXTERNAL ID  NAME  FIELDS\nV1           Anne  Fee__c=12.50, Mobile__c=+1 202 555 0111, Name=Anne\nV3           Cy    Name=Cy\n", parley("record", "list", "Visit__c"))
	var listed []recordLine
	require.NoError(t, json.Unmarshal([]byte(parley("record", "list", "Visit__c", "--search", "cy", "--json")), &listed))
	require.Len(t, listed, 1)
	require.Equal(t, "V3", listed[0].ExternalID)

	parley("permission", "add", "Visitors", "--record-right", "Visit__c=READ", "--record-right", "visit__c.fee__c=NONE")
	var sets []setLine
	require.NoError(t, json.Unmarshal([]byte(parley("permission", "list", "--json")), &sets))
	require.Equal(t, []object.Right{{Object: "Visit__c", Access: object.Read, Fields: []object.FieldRight{{Field: "Fee__c", Access: object.None}}}}, sets[slices.IndexFunc(sets, func(s setLine) bool { return s.Name == "Visitors" })].RecordRights)
	require.Contains(t, parley("permission", "set", "Visitors", "--record-right", "Visit__c=WRITE"), "Visit__c=WRITE")
	_, err = try("permission", "set", "Visitors", "--record-right", "Visit__c")
	require.ErrorContains(t, err, "--record-right")
}
