// Package importer imports from a desk that kept outbound and inbound messages in two
// tables: its records, outgoing and incoming messages become records and conversations,
// as if they had always been here.
//
// An import reads each file once into a staging area of its own, which sorts the rows
// (staging.go). Then it writes whole conversations, thousands of messages in one
// transaction, and each transaction is complete: the import may be interrupted at any
// moment and run again, and so may a finished one. A unique index of the database keeps
// a row whose id is already there from being imported twice. Nothing imported is ever
// sent.
//
// Servers may run on the database meanwhile.
package importer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // zones are named the same everywhere

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/nyaruka/phonenumbers"

	"parley/internal/admin/bulkload"
	"parley/internal/desk/conversation"
	"parley/internal/desk/crm"
	"parley/internal/desk/directory"
	"parley/internal/ground/clock"
	"parley/internal/ground/progress"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Options say what to import and how. At least one file is required.
type Options struct {
	// Records, Outgoing and Incoming are the files: CSV or JSON lines, plain or gzip.
	Records, Outgoing, Incoming string
	// Source names the desk that the rows come from; ids are unique within it. 1 to
	// 64 lower-case letters, digits, - and _; "legacy" by default.
	Source string
	// Account is the key of the provider account that unknown sender IDs are made in;
	// by default one that is named after the source and is never active.
	Account string
	// Region is where national numbers are read, two letters; by default each in the
	// country of its sender ID.
	Region string
	// Encoding is what files without a byte order mark are written in, as the web or
	// IANA name it; UTF-8 by default.
	Encoding string
	// Zone is where times without a zone are, as the time zone database names it; UTC by
	// default.
	Zone string
	// Repair puts texts of messages, and records, in the place of those that an earlier
	// import brought under the same ids; they are refused otherwise.
	Repair bool
	// MarkRead has inbound messages come in as read.
	MarkRead bool
	// Refused and InboundOnly are the files that refused rows, and conversations
	// without an outbound message, are written to; none when empty.
	Refused, InboundOnly string
	// Staging is the folder of the staging, which takes about the room of the files
	// uncompressed; the system's for temporary files by default.
	Staging string
	// Progress shows how far it is; nil shows nothing.
	Progress io.Writer

	zone  *time.Location
	batch int // messages that go in together; mostBatch when 0
}

// mostBatch is how many messages one write takes at least, if there are as many: a
// few hundred milliseconds, for which a running server's own writes wait. A
// conversation is not split before twice as many.
const mostBatch = 5_000

// Importer imports into a database. All fields are required.
type Importer struct {
	Store         *store.Store
	Directory     *directory.Directory
	Conversations *conversation.Service
	Records       *crm.Service
}

// Run imports what o names and reports. An error leaves what was imported before
// it; running it again goes on from there.
func (i *Importer) Run(ctx context.Context, o Options) (*Report, error) {
	release, err := i.Store.Alone(ctx, func() { sayWaiting(o.Progress) })
	if err != nil {
		return nil, progress.Interrupted(ctx, err, "while waiting for another import; run it again")
	}
	defer release()
	return run(ctx, &o, i.Store, func(m *importing) error { return i.write(ctx, m) })
}

func sayWaiting(out io.Writer) {
	if out != nil {
		_, _ = fmt.Fprintln(out, "import: waiting for another import or parley numbers mend on this database to end")
	}
}

func (i *Importer) write(ctx context.Context, m *importing) error {
	ctx = viewer.AsSystem(ctx, "import")
	return inPhases(ctx, []phase{
		{"creating agents and sender IDs", func() error { return i.organise(ctx, m) }},
		{"writing records", func() error { return i.writeRecords(ctx, m) }},
		{"writing record lookups", func() error { return i.writeLookups(ctx, m) }},
		{"writing messages", func() error { return i.writeMessages(ctx, m) }},
		{"updating the database's statistics, after the last message", func() error { return i.Store.Analyze(ctx, bulkload.Names()...) }},
	})
}

// phase is a part of the work, in the words for whoever interrupts it.
type phase struct {
	doing string
	do    func() error
}

// inPhases runs the parts until one fails.
func inPhases(ctx context.Context, phases []phase) error {
	for _, p := range phases {
		if err := progress.Interrupted(ctx, p.do(), "while "+p.doing+"; run it again to continue"); err != nil {
			return err
		}
	}
	return nil
}

// DryRun reports what Run would do and writes nothing. The store may be one that
// was opened for reading alone; nil stands for a database that is not there yet.
func DryRun(ctx context.Context, s *store.Store, o Options) (*Report, error) {
	return run(ctx, &o, s, func(m *importing) error {
		m.report.DryRun = true
		return m.foresee(ctx)
	})
}

// importing is one run.
type importing struct {
	options  *Options
	staging  *staging
	database database
	office   *office
	report   *Report
	staged   staged

	agents   map[int64]int64 // keys of agents, by those of the staging
	channels map[string]*directory.Channel
	account  int64 // that stands for the source
	fresh    bool  // nothing of the source was there when it began
	begun    int64 // the conversation of the staging that was written last: more of it may come
	piece    int   // how many rows a write takes at present; see inPieces
	pauses   []time.Duration
}

// database is how the database is read, inside a write or outside.
type database struct {
	query func(ctx context.Context, q store.Query, scan func(*sql.Rows) error) error
	sql   *entsql.DialectBuilder
}

// none is a database that is not there: it answers nothing.
var none = database{
	func(context.Context, store.Query, func(*sql.Rows) error) error { return nil }, entsql.Dialect(dialect.SQLite),
}

func run(ctx context.Context, o *Options, s *store.Store, do func(*importing) error) (report *Report, err error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	sources, err := openSources(o)
	if err != nil {
		return nil, err
	}
	defer closeAll(sources)
	m := &importing{options: o, report: &Report{}, database: none, pauses: pauses}
	if s != nil {
		m.database = database{s.As(store.System("an operator's command")), s.Builder()}
	}
	if m.staging, err = openStaging(ctx, o.Staging); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.staging.close()) }()
	err = inPhases(ctx, []phase{
		{"checking the rows", func() error { return m.prepare(ctx, sources) }},
		{"writing", func() error { return do(m) }},
		{"counting the lines, after the last message", func() error { return m.settleLines(ctx) }},
		{"writing the lists of refused rows, after the last message", func() error { return m.writeLists(ctx) }},
	})
	if err != nil {
		return nil, err
	}
	return m.report, nil
}

// prepare reads the files and finds out what belongs together.
func (m *importing) prepare(ctx context.Context, sources []source) error {
	show := progress.New(m.options.Progress, "import: reading", progress.Bytes)
	r := &reader{staging: m.staging, now: clock.Real{}.Now(), zone: m.options.zone, tell: show.At}
	err := progress.Interrupted(ctx, r.all(ctx, sources), "while reading the files, and nothing was imported; run it again")
	show.Close()
	if err != nil {
		return err
	}
	if m.office, err = readOffice(ctx, m.database); err != nil {
		return err
	}
	s := &settler{staging: m.staging, region: m.options.Region, known: m.office.countries()}
	if err := s.settle(ctx); err != nil {
		return progress.Interrupted(ctx, fmt.Errorf("sort out the rows: %w", err), "while sorting the rows, and nothing was imported; run it again")
	}
	if err := m.need(ctx, s); err != nil {
		return err
	}
	if err := m.findThere(ctx); err != nil {
		return err
	}
	return m.count(ctx, r)
}

var sourceName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

func (o *Options) check() error {
	if o.Source == "" {
		o.Source = "legacy"
	}
	if !sourceName.MatchString(o.Source) {
		return fmt.Errorf("the source %q is not 1 to 64 lower-case letters, digits, - and _", o.Source)
	}
	if _, err := encodingNamed(o.Encoding); err != nil {
		return err
	}
	var err error
	if o.zone, err = time.LoadLocation(o.Zone); err != nil {
		return fmt.Errorf("the zone %q is unknown; use a name from the time zone database, such as Europe/Berlin", o.Zone)
	}
	o.Region = strings.ToUpper(o.Region)
	if o.Region != "" && !phonenumbers.GetSupportedRegions()[o.Region] {
		return fmt.Errorf("the region %q is not a country with telephone numbers; give two letters, such as US", o.Region)
	}
	return nil
}
