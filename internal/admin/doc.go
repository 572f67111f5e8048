// Package admin is the room of what an operator runs beside the server: demo data,
// imports, the doctor, repairs. The commands import them; they import the desk, the
// carriers and the ground.
package admin
