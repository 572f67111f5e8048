// Package ground is the room of the packages that know no conversation: time, ids,
// errors, the store, tables and pages. Every package may import them; they import only
// one another and ent.
package ground
