package channel

import "net/url"

// MostChallenge bounds what a Challenger sends back, in bytes.
const MostChallenge = 200

// Challenger is a Provider whose carrier asks, by a GET of the webhook URL, whether
// it is ours before it posts there, as Meta's do. For others a GET is answered 405.
type Challenger interface {
	// Challenge compares the query's token in constant time and returns the text
	// that the carrier wants back, of at most MostChallenge bytes. False means 403.
	Challenge(a Account, query url.Values) (answer string, ok bool)
}
