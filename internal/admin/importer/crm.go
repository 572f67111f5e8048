package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"parley/internal/desk/crm"
	"parley/internal/desk/object"
	"parley/internal/ground/clock"
	"parley/internal/ground/progress"
)

// RecordOptions say where records come from, and which columns say what they are.
type RecordOptions struct {
	File       string // CSV or JSON lines, plain or gzip
	Encoding   string // of a file without a byte order mark; UTF-8 by default
	ObjectType string // of all rows; empty when the column ObjectType says it
	ID         string // column of the external id
	ModifiedAt string // column of the time of the last change; empty for now
	// Fields are the fields that columns are of, by column, or empty for columns to leave
	// out. Columns that are not here are of the field of their name.
	Fields map[string]string
	Zone   *time.Location
	// Refused is the file that all refused rows are written to, if there are any; none when
	// empty.
	Refused string
	// Progress shows how far it is; nil shows nothing.
	Progress io.Writer
}

// RecordReport says what an import of records did. The outcomes and Refused sum to Rows.
type RecordReport struct {
	Rows     int64                 `json:"rows"`
	Outcomes map[crm.Outcome]int64 `json:"outcomes"`
	RefusedRows
}

// Records imports records of the CRM with their fields, as upsertRecords takes them. It may
// be interrupted and run again.
func Records(ctx context.Context, s *crm.Service, o RecordOptions) (report *RecordReport, err error) {
	fields := make(map[string]string, len(o.Fields))
	for column, field := range o.Fields {
		fields[columnName(column)] = field
	}
	o.Fields = fields
	i := &recordImport{service: s, options: o, report: &RecordReport{Outcomes: map[crm.Outcome]int64{}}, names: map[[2]string]bool{}}
	if i.refused, err = refusalsIn(o.Refused, o.File, &i.report.RefusedRows); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, i.refused.close(err == nil)) }()
	required := []string{o.ID}
	if o.ObjectType == "" {
		required = append(required, "ObjectType")
	}
	f, err := openFile(o.File, o.Encoding, func(r *row) bool { return r.get(columnName(o.ID)) != "" }, required...)
	if err != nil {
		return nil, err
	}
	defer f.close()
	bar := progress.New(o.Progress, "records", progress.Bytes)
	defer bar.Close()
	err = f.each(func(r *row) error {
		i.report.Rows++
		in, problem := i.read(r)
		if problem != "" {
			return i.refused.add(r.line, r.get(columnName(o.ID)), problem)
		}
		name := [2]string{in.ObjectType, in.ExternalID}
		if i.names[name] || len(i.records) == crm.MostPerCall { // a call takes a record once
			if err := i.take(ctx); err != nil {
				return err
			}
			bar.At(f.consumed(), f.size)
		}
		i.names[name] = true
		i.records, i.lines = append(i.records, in), append(i.lines, r.line)
		return nil
	})
	if err == nil {
		err = i.take(ctx)
	}
	return i.report, progress.Interrupted(ctx, err, "while importing records; run it again to continue")
}

type recordImport struct {
	service *crm.Service
	options RecordOptions
	report  *RecordReport
	records []*crm.RecordInput
	lines   []int // of the records in the file
	names   map[[2]string]bool
	refused refusals
}

// read reads a row, or says why it cannot.
func (i *recordImport) read(r *row) (in *crm.RecordInput, problem string) {
	if r.problem != "" {
		return nil, r.problem
	}
	o := &i.options
	in = &crm.RecordInput{ObjectType: o.ObjectType, ExternalID: r.get(columnName(o.ID))}
	if in.ObjectType == "" {
		in.ObjectType = r.get("objecttype")
	}
	if at := r.get(columnName(o.ModifiedAt)); at != "" {
		given, ok := instant(at, o.Zone)
		if !ok || given.After(time.Now().Add(mostAhead)) {
			return nil, fmt.Sprintf("%q is no time in the past: write it like 2026-08-18T08:49:34Z", at)
		}
		modified := clock.Of(given)
		in.ModifiedAt = &modified
	}
	def := i.service.Definitions.ObjectType(in.ObjectType)
	if def == nil {
		return nil, fmt.Sprintf("there is no object type %q", in.ObjectType)
	}
	for _, column := range slices.Sorted(maps.Keys(r.columns)) {
		name, isField := i.fieldOf(column, &def.Definition)
		if !isField {
			continue
		}
		if name == "" {
			return nil, fmt.Sprintf("%s has no field for the column %q: say which by --field %s=FIELD, or leave the column out by --field %s=", def.Name, column, column, column)
		}
		text := r.text(column)
		in.Fields = append(in.Fields, &crm.FieldInput{Name: name, Text: &text})
	}
	return in, ""
}

// fieldOf is the field that a column is of, empty when there is none; false for a column
// that says something else, or is left out.
func (i *recordImport) fieldOf(column string, def *object.Definition) (name string, isField bool) {
	o := &i.options
	if name, said := o.Fields[column]; said {
		return name, name != ""
	}
	if column == columnName(o.ID) || column == columnName(o.ModifiedAt) || o.ObjectType == "" && column == "objecttype" {
		return "", false
	}
	for _, f := range def.Fields {
		if columnName(f.Name) == column {
			return f.Name, true
		}
	}
	return "", true
}

// take writes what was read.
func (i *recordImport) take(ctx context.Context) error {
	if len(i.records) == 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	results, err := i.service.Upsert(ctx, i.records)
	if err != nil {
		return err
	}
	for n, r := range results {
		if r.Error != nil {
			if err := i.refused.add(i.lines[n], r.ExternalID, r.Error.Message); err != nil {
				return err
			}
			continue
		}
		i.report.Outcomes[*r.Outcome]++
	}
	i.records, i.lines = i.records[:0], i.lines[:0]
	clear(i.names)
	return nil
}
