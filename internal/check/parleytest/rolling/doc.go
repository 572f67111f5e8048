// Package rolling runs the last version of Parley beside this one on one database,
// as an update does. "make test-rolling" builds the last version from the commit
// named in the file LAST and runs the test, which has the build tag "rolling".
package rolling
