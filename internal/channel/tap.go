package channel

import "encoding/json"

// Tap is a customer's tap on an option of a component, as the platform tells it. The
// token is theirs to forge: what it stands for is for whoever made it to say.
type Tap struct {
	Token string
	Title string // of the option, as the customer saw it
}

// TapOf is a tap with a token that may have been ours, false for another: one that is
// blank, too long or no text.
func TapOf(token, title string) (Tap, bool) {
	if tokenMisfits([]Option{{Token: token}}) != nil {
		return Tap{}, false
	}
	return Tap{Token: token, Title: CleanText(title)}, true
}

// Documents are values as JSON documents of their own.
func Documents[T any](values []T) ([][]byte, error) {
	documents := make([][]byte, len(values))
	for i, v := range values {
		var err error
		if documents[i], err = json.Marshal(v); err != nil {
			return nil, err
		}
	}
	return documents, nil
}
