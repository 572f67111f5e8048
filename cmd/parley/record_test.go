package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/object"
)

// Every refused row is in the file, though few are printed.
func TestEveryRefusedRecordIsInTheFile(t *testing.T) {
	t.Parallel()
	database, dir := parleytest.Database(t), t.TempDir()
	file, refused := filepath.Join(dir, "contacts.csv"), filepath.Join(dir, "refused.csv")
	rows := "Id,LastName,Birthdate\n"
	for n := range 300 {
		rows += fmt.Sprintf("C%d,Kim,someday\n", n)
	}
	require.NoError(t, os.WriteFile(file, []byte(rows+"C300,Kim,\n"), 0o600))
	out, err := command(t, "record", "import", file, "--database", database, "--object-type", "Contact", "--refused", refused)
	require.Equal(t, 3, exitCode(err), "%v", err)
	require.Contains(t, out, "Refused: 300.\n  line 2: ")
	require.Contains(t, out, "  and 290 more; all are in "+refused+"\n")
	written, err := os.ReadFile(refused)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(written)), "\n")
	require.Len(t, lines, 301)
	require.Equal(t, "Line,Id,Reason", lines[0])
	require.Regexp(t, `^301,C299,.*Birthdate`, lines[300])

	_, err = command(t, "record", "import", file, "--database", database, "--object-type", "Contact", "--refused", file)
	require.ErrorContains(t, err, "the file that is imported")
	_, err = command(t, "record", "import", file, "--database", database, "--object-type", "Contact", "--field", "Birthdate=", "--refused", refused)
	require.NoError(t, err)
	require.NoFileExists(t, refused, "what an earlier run left is gone")
}

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

	refused := filepath.Join(t.TempDir(), "refused.csv")
	file := write("visits.csv", "Id,Name,Mobile__c,Fee__c,Changed,Remark\nV1,Ann,+1 202 555 0111,12.50,2026-01-02T03:04:05Z,x\nV2,Bob,,much,2026-01-02T03:04:05Z,\nV1,Anne,+1 202 555 0111,12.50,2026-01-02T03:04:06Z,\n")
	out, err := try("record", "import", file, "--object-type", "Visit__c", "--modified-at", "Changed", "--field", "Remark=", "--refused", refused)
	require.Error(t, err)
	require.Equal(t, "Rows: 3. Created: 1, updated: 1, unchanged: 0, older: 0, merged: 0. Refused: 1.\n  line 3: Fee__c takes a number such as 12.50, not \"much\".\n", out)
	out, err = try("record", "import", file, "--object-type", "Visit__c", "--modified-at", "Changed", "--refused", refused)
	require.Error(t, err)
	require.Contains(t, out, `Visit__c has no field for the column "remark"`)
	lines := write("visits.jsonl", `{"ObjectType": "Visit__c", "Id": "V3", "Visitor": "Cy"}`+"\n"+`{"ObjectType": "Nothing", "Id": "N"}`+"\n")
	out, err = try("record", "import", lines, "--field", "Visitor=Name", "--json", "--refused", refused)
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
