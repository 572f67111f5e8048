package crm

import (
	"context"
	"strings"

	"parley/internal/desk/journal"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// note writes to the audit what a request of by did to records: an entry for all, which
// names the first of them.
func note(ctx context.Context, tx *store.Tx, by *viewer.Viewer, action journal.Action, records []string) error {
	if len(records) == 0 {
		return nil
	}
	e := journal.Entry{Action: action, SubjectType: "Record", Detail: strings.Join(records, ", "), Count: int64(len(records))}
	if len(records) == 1 {
		e.SubjectName = records[0]
	}
	return e.Write(viewer.NewContext(ctx, by), tx)
}

func called(n name) string { return n.ObjectType + " " + n.ExternalID }
