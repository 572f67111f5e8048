package channel

import "strings"

// optOutWords are the words by which customers opt out when one is the whole message
// (DOMAIN 5).
var optOutWords = map[string]bool{
	"STOP": true, "STOPALL": true, "UNSUBSCRIBE": true, "CANCEL": true, "END": true, "QUIT": true, "REVOKE": true, "OPTOUT": true, "ARRET": true,
}

// IsOptOutWord reports whether a customer who writes the text on such a channel means to
// opt out. It is never so on web and in-app channels, where nobody opts in. Whether it
// opts them out is for the carrier to say.
func (c *Capabilities) IsOptOutWord(text string) bool {
	return len(c.ConsentModes) > 0 && optOutWords[strings.ToUpper(strings.TrimSpace(text))]
}
