// Package sqlite is the driver "sqlite3" with settings that a data source name cannot
// express, for every connection of the process:
//
//   - A plan does not depend on bound values. The driver clears a cached statement's
//     values before it binds new ones, and SQLite then compiles the statement again
//     if its plan might differ for another value; that was a third of the time an inbox
//     page spent in SQLite. So what proves a partial index's condition is in the
//     statement's text, not among its values.
//   - Memory is not accounted for: the accounting takes one lock for all connections.
package sqlite

/*
#cgo darwin LDFLAGS: -Wl,-undefined,dynamic_lookup

// These are go-sqlite3's, which is linked beside this package.
typedef struct sqlite3 sqlite3;
extern int sqlite3_config(int, ...) __attribute__((weak));
extern int sqlite3_auto_extension(void (*)(void)) __attribute__((weak));
extern int sqlite3_db_config(sqlite3 *, int, ...) __attribute__((weak));

#define SQLITE_CONFIG_MEMSTATUS 9
#define SQLITE_DBCONFIG_ENABLE_QPSG 1007

static int opened(sqlite3 *db, char **problem, const void *api) {
	return sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_QPSG, 1, (int *)0);
}

static int settle(void) {
	int rc = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	return rc != 0 ? rc : sqlite3_auto_extension((void (*)(void))opened);
}
*/
import "C"

import (
	"fmt"

	_ "github.com/mattn/go-sqlite3" // the driver
)

func init() {
	if rc := C.settle(); rc != 0 {
		panic(fmt.Sprintf("sqlite: the library refuses its settings (%d); a connection was opened too early", rc))
	}
}
