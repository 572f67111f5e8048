// Package registry is the list of the CRMs whose API Parley calls.
package registry

import (
	"net/http"

	"parley/internal/connector"
	"parley/internal/connector/salesforce"
)

// Connectors are all connectors, calling over a transport.
func Connectors(transport http.RoundTripper) []connector.Connector {
	return []connector.Connector{salesforce.New(transport)}
}
