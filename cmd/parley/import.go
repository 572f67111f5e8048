package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"parley/app"
	"parley/internal/admin/importer"
	"parley/internal/ground/store"
	"parley/internal/ground/store/address"
)

// importCmd imports what a desk of the older kind has.
type importCmd struct {
	Records  string `placeholder:"FILE" help:"CRM records. Files are CSV or JSON lines, plain or gzip; at least one file is required."`
	Outgoing string `placeholder:"FILE" help:"Messages the desk sent."`
	Incoming string `placeholder:"FILE" help:"Messages customers wrote."`
	Create   bool   `env:"PARLEY_CREATE" help:"Create the database if it does not exist."`
	DryRun   bool   `help:"Report what would happen and write nothing to the database."`
	MarkRead bool   `help:"Import incoming messages as read instead of unread."`
	Region   string `placeholder:"COUNTRY" help:"Country in which national numbers are read, such as US; by default that of their sender ID."`
	Repair   bool   `help:"Replace texts and records that an earlier import brought with different content; check them first with --dry-run."`
	Zone     string `placeholder:"ZONE" help:"Time zone of times without one, such as Europe/Berlin; UTC by default."`
	Encoding string `placeholder:"NAME" help:"Encoding of the files, such as windows-1252; by default UTF-8, or what their byte order mark says."`
	Source   string `default:"legacy" help:"Name of the desk the rows come from; their ids are unique within it."`
	Account  string `placeholder:"KEY" help:"Provider account in which to create unknown sender IDs; by default a separate one that never sends."`

	Refused     string `placeholder:"FILE" help:"File for refused rows, with line and reason; import-refused.csv by default, except in a dry run."`
	InboundOnly string `placeholder:"FILE" help:"File for the rows of conversations with inbound messages only; import-inbound-only.csv by default, except in a dry run."`
	Staging     string `placeholder:"FOLDER" help:"Folder for temporary data, about the size of the uncompressed files. By default next to the SQLite database, or the system's folder for temporary files."`
	JSON        bool   `help:"Print the report as a JSON object."`
}

// Run implements the command.
func (i *importCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	o := importer.Options{
		Records: i.Records, Outgoing: i.Outgoing, Incoming: i.Incoming, Source: i.Source, Account: i.Account, Region: i.Region, Zone: i.Zone, Repair: i.Repair, Encoding: i.Encoding,
		MarkRead: i.MarkRead, Refused: i.Refused, InboundOnly: i.InboundOnly, Staging: i.Staging, Progress: os.Stderr,
	}
	if o.Staging == "" && !address.IsPostgres(c.Database) {
		o.Staging = filepath.Dir(c.Database)
	}
	run := i.real
	if i.DryRun {
		run = i.dry
	}
	report, err := run(ctx, c, o)
	if err != nil {
		return err
	}
	if err := i.tell(report, out); err != nil || report.Refused == 0 {
		return err
	}
	return refusedRows(report.Refused)
}

func (i *importCmd) tell(report *importer.Report, out io.Writer) error {
	if !i.JSON {
		return report.Write(out)
	}
	e := json.NewEncoder(out)
	e.SetIndent("", " ")
	return e.Encode(report)
}

// refusedRows is the error of an import that took in all but so many rows. It ends
// with an exit code of its own, so that scripts can tell.
type refusedRows int64

// Error implements error.
func (n refusedRows) Error() string {
	return fmt.Sprintf("%d rows were refused; the report says why. All other rows were processed", int64(n))
}

// printRefusals prints the first rows that an import refused, and where all are.
func printRefusals(out io.Writer, first []importer.RowRefusal, all int64, file string) {
	for _, r := range first {
		fmt.Fprintf(out, "  line %d: %s\n", r.Line, r.Reason)
	}
	if more := all - int64(len(first)); more > 0 {
		fmt.Fprintf(out, "  and %d more; all are in %s\n", more, file)
	}
}

// ExitCode is that of the program.
func (refusedRows) ExitCode() int { return 3 }

func (i *importCmd) real(ctx context.Context, c *cli, o importer.Options) (report *importer.Report, err error) {
	if o.Refused == "" {
		o.Refused = "import-refused.csv"
	}
	if o.InboundOnly == "" {
		o.InboundOnly = "import-inbound-only.csv"
	}
	a, err := app.Open(ctx, c.creating(i.Create))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	report, err = (&importer.Importer{Store: a.Store, Directory: a.Directory, Conversations: a.Conversations, Records: a.Schema.Records}).Run(ctx, o)
	if err != nil {
		return nil, err
	}
	return report, errors.Join(
		noteImport(ctx, a.Store, "Record", o.Records, report.Records),
		noteImport(ctx, a.Store, "Message", o.Outgoing, report.Outgoing),
		noteImport(ctx, a.Store, "Message", o.Incoming, report.Incoming))
}

func (i *importCmd) dry(ctx context.Context, c *cli, o importer.Options) (report *importer.Report, err error) {
	s, err := store.OpenToRead(ctx, store.Options{URL: c.Database})
	if errors.Is(err, store.ErrNoDatabase) {
		if i.Staging == "" && !exists(o.Staging) {
			o.Staging = ""
		}
		return importer.DryRun(ctx, nil, o)
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	holds, err := s.HoldsParley(ctx)
	if err != nil {
		return nil, err
	}
	if !holds {
		return importer.DryRun(ctx, nil, o)
	}
	schema, err := s.Schema(ctx)
	if err != nil {
		return nil, err
	}
	if schema.Pending > 0 {
		return nil, errors.New("the database is of an earlier version of Parley, and a dry run changes nothing: run parley migrate, then the dry run again")
	}
	return importer.DryRun(ctx, s, o)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
