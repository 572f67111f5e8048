// Package address reads the setting that names a database (a file path for SQLite or a
// postgres:// URL), and explains to an operator why the database cannot be used.
package address

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// IsPostgres reports whether a database setting names a PostgreSQL server.
func IsPostgres(u string) bool {
	return strings.HasPrefix(u, "postgres://") || strings.HasPrefix(u, "postgresql://")
}

// Two ways to write an address that would otherwise be the name of a new file.
var (
	scheme  = regexp.MustCompile(`^\s*([A-Za-z][A-Za-z0-9+.-]+)\s*:`) // a single letter is a drive of Windows
	setting = regexp.MustCompile(`(^|\s)(host|dbname|user|port)\s*=`)
)

// Check refuses what is neither a postgres:// URL nor clearly a file path. It
// repeats no more than the scheme: a mistyped URL may hold a password.
func Check(u string) error {
	if IsPostgres(u) {
		return nil
	}
	if u == "" || strings.TrimSpace(u) != u {
		return errors.New("the database must be a file path or a postgres:// URL, without spaces around it")
	}
	if found := scheme.FindStringSubmatch(u); found != nil {
		return fmt.Errorf("unknown scheme %s: use postgres:// for PostgreSQL, or a file path for SQLite (./%s:… for a file with such a name)", found[1], found[1])
	}
	if setting.MatchString(u) {
		return errors.New("the database is given as connection settings: write postgres://user@host/name for PostgreSQL, or a file path for SQLite")
	}
	if strings.ContainsAny(u, "?#") {
		return errors.New("the database must be a file path without ? and #, or a postgres:// URL")
	}
	if info, err := os.Stat(u); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a folder: give the path of a file in it", u)
	}
	return nil
}
