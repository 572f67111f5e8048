// Package sqlite is the driver "sqlite3" with what its data source names cannot
// set, for every connection of the process:
//
//   - A plan does not depend on bound values. The driver clears a kept statement's
//     values before it binds others, and a statement whose plan might be another for
//     another value is then compiled again each time it runs, which was a third of
//     an inbox page's time in SQLite. So what proves a partial index's condition
//     stands in the statement's text, not among its values.
//   - Memory is not accounted for, which takes one lock for all connections.
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
