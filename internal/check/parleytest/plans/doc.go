// Package plans holds how the databases go about every hot statement: testdata
// has what Parley's operations say to them and their plans, which a change of a
// statement, an index or a library must not change unseen.
//
//	go test -tags sqlite_fts5 ./internal/check/parleytest/plans -update
//
// writes what is so now, and with PARLEY_TEST_POSTGRES that of PostgreSQL. What
// no plan may do is in sights_test.go: look at the whole of a table that grows,
// or sort what has no bound.
package plans
