package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"parley/internal/admin/importer"
	"parley/internal/desk/crm"
	"parley/internal/ground/page"
)

// recordCmd manages records of the CRM, beside running servers or without any.
type recordCmd struct {
	List   listRecordsCmd   `cmd:"" help:"List records of an object type, by name."`
	Import importRecordsCmd `cmd:"" help:"Import records with their fields, new and changed ones."`
}

type listRecordsCmd struct {
	asJSON
	ObjectType string `arg:"" help:"Name of the object type, such as Lead."`
	Search     string `help:"Only those whose name or number begins with this."`
	Most       int    `default:"50" least:"1" help:"How many records, 1000 at most."`
}

// recordLine is a record as it is printed.
type recordLine struct {
	ID         string            `json:"id"`
	ExternalID string            `json:"externalId"`
	Name       string            `json:"name"`
	Fields     map[string]string `json:"fields"`
}

// Run implements the command.
func (l *listRecordsCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	if err := atMost(l.Most, "--search"); err != nil {
		return err
	}
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		lines, err := l.lines(ctx, d.Schema.Records)
		if err != nil {
			return err
		}
		if l.JSON {
			return printJSON(out, lines)
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "EXTERNAL ID\tNAME\tFIELDS")
		for _, r := range lines {
			var said []string
			for _, name := range slices.Sorted(maps.Keys(r.Fields)) {
				said = append(said, name+"="+r.Fields[name])
			}
			fmt.Fprintf(table, "%s\t%s\t%s\n", r.ExternalID, r.Name, strings.Join(said, ", "))
		}
		return table.Flush()
	})
}

// lines are the records with their fields that are not blank.
func (l *listRecordsCmd) lines(ctx context.Context, records *crm.Service) ([]recordLine, error) {
	filter := &crm.Filter{}
	if l.Search != "" {
		filter.Search = &l.Search
	}
	found, err := records.List(ctx, l.ObjectType, filter, page.Window{Size: l.Most})
	if err != nil {
		return nil, err
	}
	fields, err := records.Fields(ctx, found.Nodes(), nil)
	if err != nil {
		return nil, err
	}
	lines := make([]recordLine, len(fields))
	for i, r := range found.Nodes() {
		lines[i] = recordLine{r.ID(), r.ExternalID, r.Name, map[string]string{}}
		for _, f := range fields[i] {
			if text := f.Text(); text != nil {
				lines[i].Fields[f.Name()] = *text
			}
		}
	}
	return lines, nil
}

type importRecordsCmd struct {
	asJSON
	File       string            `arg:"" help:"CSV or JSON lines, plain or gzip: a column for the external id, and one for each field. An empty cell empties the field; a column that is not there leaves it."`
	ObjectType string            `placeholder:"NAME" help:"Object type of all rows; by default the column ObjectType says it."`
	ID         string            `default:"Id" placeholder:"COLUMN" help:"Column of the record's id in the CRM."`
	ModifiedAt string            `placeholder:"COLUMN" help:"Column of the time of the last change: an older change than the one taken last is left out. By default now."`
	Field      map[string]string `placeholder:"COLUMN=FIELD" mapsep:"none" help:"Field that a column is of, or nothing to leave the column out; by default the field of its name. May be repeated."`
	Encoding   string            `placeholder:"NAME" help:"Encoding of the file, such as windows-1252; by default UTF-8, or what its byte order mark says."`
	Zone       string            `default:"UTC" help:"Time zone of times without one, such as Europe/Berlin."`
	Refused    string            `default:"record-refused.csv" placeholder:"FILE" help:"File for refused rows, with line, id and reason, if there are any; record-refused.csv by default."`
}

// Run implements the command.
func (i *importRecordsCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	zone, err := time.LoadLocation(i.Zone)
	if err != nil {
		return fmt.Errorf("--zone: there is no time zone %q", i.Zone)
	}
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		report, err := importer.Records(ctx, d.Schema.Records, importer.RecordOptions{
			File: i.File, Encoding: i.Encoding, ObjectType: i.ObjectType, ID: i.ID, ModifiedAt: i.ModifiedAt, Fields: i.Field, Zone: zone, Refused: i.Refused, Progress: os.Stderr,
		})
		if err == nil {
			o := report.Outcomes
			err = noteImport(ctx, d.Store, "Record", i.File, o[crm.Created]+o[crm.Updated])
		}
		if err != nil {
			return err
		}
		if i.JSON {
			err = printJSON(out, report)
		} else {
			o := report.Outcomes
			fmt.Fprintf(out, "Rows: %d. Created: %d, updated: %d, unchanged: %d, older: %d, merged: %d. Refused: %d.\n",
				report.Rows, o[crm.Created], o[crm.Updated], o[crm.Unchanged], o[crm.Older], o[crm.Merged], report.Refused)
			printRefusals(out, report.Refusals, report.Refused, i.Refused)
		}
		if err == nil && report.Refused > 0 {
			err = refusedRows(report.Refused)
		}
		return err
	})
}
