package plans

import (
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/internal/admin/seed"
	"parley/internal/check/parleytest"
)

var update = flag.Bool("update", false, "write the plans that are kept in testdata")

// Plans are chosen for these many rows on PostgreSQL; fewer than 30,000 in a
// table, so that ANALYZE reads them all and finds the same each time. On SQLite
// they are the same for any number.
const conversations, messages = 4_000, 24_000

// section is an operation and the statements it was the first to run.
type section struct {
	name       string
	statements []*statement
}

// statement is one with its plan, a line for each step.
type statement struct {
	text string
	plan []string
}

func TestThePlansOfHotStatements(t *testing.T) {
	t.Parallel()
	d := openDatabase(t)
	var sections []*section
	seen := map[string]bool{}
	for _, o := range record(t, d.url) {
		s := &section{name: o.name}
		for _, text := range o.texts {
			if same := alike(text); !seen[same] {
				seen[same] = true
				s.statements = append(s.statements, &statement{text: text})
			}
		}
		sections = append(sections, s)
	}
	d.settle(t)
	for _, s := range sections {
		for _, st := range s.statements {
			st.plan = d.explain(t, st.text)
		}
	}
	requireBounded(t, d, sections)
	d.compare(t, written(d.title(), sections))
}

// database is the one under test, seen from beside Parley.
type database struct {
	url  string
	db   *sql.DB
	name string // of the file in testdata
	// major is PostgreSQL's version; 0 on SQLite, which is linked in.
	major int
}

func openDatabase(t *testing.T) *database {
	d := &database{url: parleytest.Database(t), name: "sqlite.txt"}
	driver, source := "sqlite3", "file:"+d.url
	if parleytest.OnPostgres() {
		d.name, driver, source = "postgres.txt", "pgx", d.url
	}
	var err error
	d.db, err = sql.Open(driver, source)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.db.Close()) })
	d.db.SetMaxOpenConns(1) // settings and prepared statements are a connection's
	if parleytest.OnPostgres() {
		require.NoError(t, d.db.QueryRowContext(t.Context(), `SELECT current_setting('server_version_num')::int / 10000`).Scan(&d.major))
		d.leaveAlone(t)
	}
	p := parleytest.OpenAt(t, d.url)
	require.NoError(t, seed.Fill(t.Context(), p.Directory, p.Store, seed.Options{Conversations: conversations, Messages: messages, Seed: 1}))
	p.Stop()
	if d.major > 0 {
		d.crowd(t)
	}
	return d
}

func (d *database) exec(t *testing.T, text string) {
	_, err := d.db.ExecContext(t.Context(), text)
	require.NoError(t, err, text)
}

func (d *database) title() string {
	if d.major > 0 {
		return fmt.Sprintf("PostgreSQL %d, %d conversations, %d messages", d.major, conversations, messages)
	}
	return "SQLite"
}

// written are the plans as testdata has them.
func written(title string, sections []*section) string {
	var b strings.Builder
	b.WriteString("Plans on " + title + ". Written by go test -update; see doc.go.\n")
	for _, s := range sections {
		b.WriteString("\n## " + s.name)
		if len(s.statements) == 0 {
			b.WriteString(": nothing that is not above")
		}
		b.WriteString("\n")
		for _, st := range s.statements {
			b.WriteString("\n" + brief(st.text) + "\n")
			for _, line := range st.plan {
				b.WriteString("    " + line + "\n")
			}
		}
	}
	return b.String()
}

// compare holds the plans against those kept. Another major version of PostgreSQL
// words its plans in its own way: there only what no plan may do is tested.
func (d *database) compare(t *testing.T, now string) {
	path := filepath.Join("testdata", d.name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(now), 0o600))
		return
	}
	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	title, _, _ := strings.Cut(string(kept), "\n")
	if d.major > 0 && !strings.Contains(title, fmt.Sprintf("PostgreSQL %d,", d.major)) {
		t.Logf("the server is PostgreSQL %d, and plans are kept of another: %s", d.major, title)
		return
	}
	was, is := strings.Split(string(kept), "\n## "), strings.Split(now, "\n## ")
	const more = "the plans have changed; look at what -update makes of testdata, and keep it if it is as good"
	assert.Empty(t, missing(was, is), "no longer so: %s", more)
	assert.Empty(t, missing(is, was), "new: %s", more)
}

// missing are those of some sections that are not among others.
func missing(some, others []string) (out []string) {
	for _, s := range some {
		if !slices.Contains(others, s) {
			out = append(out, s)
		}
	}
	return out
}
