// Package edge is the room between the network and the schema. The composition and the
// commands import its packages, which import one another and the ground only:
//
//	server      options, routes, the executor, listening and shutdown
//	transport   GraphQL over HTTP, Server-Sent Events and WebSocket
//	admission   sign-in, web origins, rates, places for connections
//	observe     access log, metrics, traces
//	answer      how errors look to callers
//
// server knows all of them, transport and admission know neither server nor each other,
// and answer knows none. Beside them, limit bounds documents, persisted names them,
// selection executes compiled queries, and token issues and verifies tokens.
package edge
