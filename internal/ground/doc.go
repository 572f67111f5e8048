// Package ground is the room of packages that know no conversation: time, ids,
// errors, the store, tables and pages. Everything may import them; they import one
// another and ent.
package ground
