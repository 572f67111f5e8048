// Package plans records how the databases execute every hot statement: testdata contains
// the statements of Parley's operations and their plans, which no change of a statement,
// an index or a library may alter unnoticed.
//
//	go test -tags sqlite_fts5 ./internal/check/parleytest/plans -update
//
// records the current ones, and with PARLEY_TEST_POSTGRES those of PostgreSQL.
// sights_test.go lists what no plan may do: scan the whole of a table that grows, or sort
// an unbounded set.
package plans
