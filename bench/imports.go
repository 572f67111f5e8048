package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// imports measures `parley import`, with search on, against SQLite's own .import of
// the same rows into tables without an index, and the memory that both take.
func (s *settings) imports(ctx context.Context, r *report) (err error) {
	dir, err := os.MkdirTemp("", "parley-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	program := filepath.Join(dir, "parley")
	if err := buildProgram(ctx, program, ""); err != nil {
		return err
	}
	for _, rows := range s.Import {
		e := export{dir: dir, rows: rows}
		if err := e.write(); err != nil {
			return err
		}
		if err := s.importsOf(ctx, r, e, program); err != nil {
			return err
		}
	}
	return nil
}

// importsOf lets both take turns; large exports have one turn.
func (s *settings) importsOf(ctx context.Context, r *report, e export, program string) error {
	rounds := max(1, s.Rounds*s.Import[0]/e.rows)
	baseline, plain := e.plainly()
	var speeds, ratios, floors []float64
	var peak, floorPeak float64
	for range rounds {
		floor, mb, err := plain(ctx)
		if err != nil {
			return err
		}
		floorPeak = max(floorPeak, mb)
		took, mb, err := e.parley(ctx, program)
		if err != nil {
			return err
		}
		peak = max(peak, mb)
		floors, speeds = append(floors, float64(e.rows)/floor.Seconds()), append(speeds, float64(e.rows)/took.Seconds())
		ratios = append(ratios, floor.Seconds()/took.Seconds())
	}
	group := fmt.Sprintf("import of %d rows", e.rows)
	r.add(figure{Group: group, Name: baseline, Clients: 1, PerSecond: median(floors), Ratio: 1, Lowest: 1, Highest: 1, Note: memory(floorPeak)})
	r.add(figure{
		Group: group, Name: "parley import, SQLite, search on", Clients: 1, PerSecond: median(speeds),
		Ratio: median(ratios), Lowest: slices.Min(ratios), Highest: slices.Max(ratios), Note: memory(peak),
	})
	return nil
}

func memory(megabytes float64) string {
	if megabytes == 0 {
		return "rows a second"
	}
	return fmt.Sprintf("rows a second; %.0f MB at most", megabytes)
}

// export is one of a desk with two tables, as three files.
type export struct {
	dir  string
	rows int // messages
}

func (e export) file(name string) string { return filepath.Join(e.dir, name+".csv") }

// A conversation has perThread messages, which lie among those of as many others as
// mixed says.
const perThread, mixed = 20, 50

// write makes the files: conversations whose messages lie among those of others, as
// a table that grew by time has them.
func (e export) write() (err error) {
	var files []*os.File
	defer func() {
		for _, f := range files {
			err = errors.Join(err, f.Close())
		}
	}()
	open := func(name, header string) *bufio.Writer {
		f, failed := os.Create(e.file(name))
		err, files = errors.Join(err, failed), append(files, f)
		w := bufio.NewWriter(f)
		_, _ = w.WriteString(header + "\n") // an error comes back from Flush
		return w
	}
	records := open("records", "ObjectType,ExternalId,Name,Mobile,OptOut,LastModified")
	outgoing := open("outgoing", "Id,ToNumber,SenderId,Text,Status,SentAt,Agent,ObjectType,RecordId")
	incoming := open("incoming", "Id,FromNumber,SenderId,Text,ReceivedAt")
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(1, uint64(e.rows))) //nolint:gosec // the same export each time is the point
	threads, at := max(1, e.rows/perThread), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range threads {
		_, _ = fmt.Fprintf(records, "Contact,C%07d,%s,%s,false,2026-01-01T00:00:00Z\n", i, phrase(random, 2), customerNumber(i))
	}
	for i := range e.rows {
		thread := min(i/(mixed*perThread)*mixed+random.IntN(mixed), threads-1)
		at = at.Add(time.Second)
		sender, when := fmt.Sprintf("+12025550%03d", 100+thread%8), at.Format(time.RFC3339)
		if i%2 == 0 {
			_, _ = fmt.Fprintf(incoming, "I%08d,%s,%s,\"%s\",%s\n", i, customerNumber(thread), sender, phrase(random, 4+random.IntN(16)), when)
			continue
		}
		_, _ = fmt.Fprintf(outgoing, "O%08d,%s,%s,\"%s\",Delivered,%s,agent%d,Contact,C%07d\n",
			i, customerNumber(thread), sender, phrase(random, 4+random.IntN(16)), when, thread%20, thread)
	}
	return errors.Join(records.Flush(), outgoing.Flush(), incoming.Flush())
}

// customerNumber is a number of conversation i.
func customerNumber(i int) string {
	return fmt.Sprintf("+1%03d%07d", 201+i/900_000, 2_000_100+i%900_000)
}

// phrase is n words, common ones more often than rare ones.
func phrase(random *rand.Rand, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		rank := random.IntN(1 + random.IntN(20_000))
		for rank++; rank > 0; rank /= 20 {
			b.WriteString(syllables[rank%20])
		}
	}
	return b.String()
}

var syllables = [20]string{"ba", "co", "di", "fu", "ge", "ha", "jo", "ki", "lu", "me", "na", "po", "ri", "su", "te", "va", "wo", "xi", "yu", "ze"}

// parley imports into a fresh database and tells how long that took and how much
// memory, in MB, where the system tells.
func (e export) parley(ctx context.Context, program string) (time.Duration, float64, error) {
	defer e.forget("parley.db")
	return timed(exec.CommandContext(ctx, program, "import", "--database", filepath.Join(e.dir, "parley.db"), //nolint:gosec // G204: paths of ours
		"--records", e.file("records"), "--outgoing", e.file("outgoing"), "--incoming", e.file("incoming"),
		"--refused", filepath.Join(e.dir, "refused.csv"), "--inbound-only", filepath.Join(e.dir, "inbound-only.csv")))
}

func (e export) forget(database string) {
	for _, end := range []string{"", "-wal", "-shm", ".lock"} {
		_ = os.Remove(filepath.Join(e.dir, database+end)) // the folder goes at the end
	}
}

func timed(command *exec.Cmd) (time.Duration, float64, error) {
	var said strings.Builder
	command.Stderr = &said
	began := time.Now()
	if err := command.Run(); err != nil {
		return 0, 0, fmt.Errorf("%s: %w\n%s", filepath.Base(command.Path), err, said.String())
	}
	took, peak := time.Since(began), 0.0
	if usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage); ok {
		peak = float64(usage.Maxrss) * 1024 / 1e6
	}
	return took, peak, nil
}

// plainly is the least that could be done with the rows: what the sqlite3 shell
// does, or, where there is none, plain INSERTs in one transaction.
func (e export) plainly() (name string, run func(context.Context) (time.Duration, float64, error)) {
	shell, err := exec.LookPath("sqlite3")
	if err != nil {
		return "INSERTs in one transaction", e.inserted
	}
	return "sqlite3 .import", func(ctx context.Context) (time.Duration, float64, error) {
		defer e.forget("plain.db")
		args := []string{filepath.Join(e.dir, "plain.db"), ".mode csv"}
		for _, table := range []string{"records", "outgoing", "incoming"} {
			args = append(args, fmt.Sprintf(".import '%s' %s", e.file(table), table))
		}
		return timed(exec.CommandContext(ctx, shell, args...)) //nolint:gosec // G204: the shell and paths of ours
	}
}

func (e export) inserted(ctx context.Context) (took time.Duration, _ float64, err error) {
	defer e.forget("plain.db")
	db, err := sql.Open("sqlite3", filepath.Join(e.dir, "plain.db"))
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	began := time.Now()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, 0, err
	}
	for _, table := range []string{"records", "outgoing", "incoming"} {
		if err := insertTable(ctx, tx, table, e.file(table)); err != nil {
			return 0, 0, errors.Join(err, tx.Rollback())
		}
	}
	err = tx.Commit()
	return time.Since(began), 0, err
}

func insertTable(ctx context.Context, tx *sql.Tx, table, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	lines := csv.NewReader(bufio.NewReader(f))
	header, err := lines.Read()
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "CREATE TABLE "+table+" ("+strings.Join(header, " TEXT, ")+" TEXT)"); err != nil {
		return err
	}
	insert, err := tx.PrepareContext(ctx, "INSERT INTO "+table+" VALUES (?"+strings.Repeat(", ?", len(header)-1)+")") //nolint:gosec // G202: a table of ours
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }()
	values := make([]any, len(header))
	for {
		line, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for i, v := range line {
			values[i] = v
		}
		if _, err := insert.ExecContext(ctx, values...); err != nil {
			return err
		}
	}
}
