package channel

// Documenter is a Provider whose carrier gets components in a document of its own, not in
// that of the channel's platform.
type Documenter interface {
	// Document is the body of the request that sends s, without the address that the
	// carrier reports to.
	Document(from, to string, s Structured) string
}
