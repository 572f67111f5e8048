// Package check is the room of what only tests and checks use: the harness, conventions of
// the source, models of protocols, a client of a running server. Nothing that ships
// imports them.
package check
