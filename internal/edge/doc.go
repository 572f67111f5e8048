// Package edge is the room of what stands between the network and the schema:
// transports, admission, sign-in, and the execution of documents. The composition and
// the commands import them; they import the ground alone.
package edge
