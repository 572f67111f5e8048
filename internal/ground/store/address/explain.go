package address

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"
)

// plainError says in an operator's words why a database cannot be used.
type plainError struct {
	text  string
	cause error
}

// Error implements error.
func (p *plainError) Error() string { return p.text }

// Unwrap returns what the database or the system said.
func (p *plainError) Unwrap() error { return p.cause }

// Explain puts into plain words why the database at u cannot be used, where the words
// of SQLite, of PostgreSQL or of the system do not say what to do.
func Explain(u string, err error) error {
	say := plainSQLite
	if IsPostgres(u) {
		say = plainPostgres
	}
	if text := say(u, err); text != "" {
		return &plainError{text, err}
	}
	return err
}

const asTheServer = "run this as the user that the server runs as, or correct --database"

func plainSQLite(path string, err error) string {
	var denied *fs.PathError
	if errors.As(err, &denied) {
		return plainPath(denied)
	}
	var lite sqlite3.Error
	if !errors.As(err, &lite) {
		return ""
	}
	switch lite.Code {
	case sqlite3.ErrNotADB:
		return path + " is not a SQLite database: correct --database"
	case sqlite3.ErrReadonly:
		return fmt.Sprintf("this user may not write to %s and in its folder, which SQLite takes even for reading: %s", path, asTheServer)
	case sqlite3.ErrCantOpen, sqlite3.ErrPerm:
		return fmt.Sprintf("this user may not open %s (%v): %s", path, lite, asTheServer)
	}
	return ""
}

// plainPath says which folder refuses. A file that cannot be made is its folder's
// refusal.
func plainPath(denied *fs.PathError) string {
	folder := filepath.Dir(denied.Path)
	switch {
	case errors.Is(denied, syscall.EROFS):
		return fmt.Sprintf("permission denied: the disk of the folder %s may only be read: mount it for writing, or correct --database", folder)
	case errors.Is(denied, fs.ErrPermission):
		return fmt.Sprintf("permission denied: this user may not write in the folder %s: %s", folder, asTheServer)
	}
	return ""
}

func plainPostgres(_ string, err error) string {
	var away *pgconn.ConnectError
	var told *pgconn.PgError
	switch refused := errors.As(err, &told); {
	case errors.As(err, &away):
		return fmt.Sprintf("PostgreSQL cannot be reached: %s: %s", strings.Join(reasons(away), "; "), cure(told))
	case refused && slices.Contains([]string{"42501", "25006"}, told.Code): // no privilege, read-only
		return fmt.Sprintf("PostgreSQL lets this user not write (%s): name the server's own user, and no replica, in --database", told.Message)
	}
	return ""
}

// cure says what to do when no connection is had.
func cure(told *pgconn.PgError) string {
	switch {
	case told == nil:
		return "see that it runs, and that --database names its host and port"
	case told.Code == "3D000":
		return "make the database (createdb NAME), or correct its name in --database"
	case strings.HasPrefix(told.Code, "28"):
		return "correct user and password in --database"
	}
	return "try again when it takes connections"
}

// reasons are the causes of a failed connection, each once: with and without TLS
// and at each address of a host the same goes wrong.
func reasons(away *pgconn.ConnectError) (all []string) {
	_, text, _ := strings.Cut(away.Error(), "`: ") // after who connects to what
	if text == "" {
		_, text, _ = strings.Cut(away.Error(), "`:")
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line != "" && !slices.ContainsFunc(all, func(had string) bool { return strings.Contains(had, line) }) {
			all = append(all, line)
		}
	}
	return all
}
