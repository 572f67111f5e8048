package component

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"parley/internal/channel"
	"parley/internal/ground/fault"
)

// Moment is when a channel says something by itself.
type Moment string

// The moments. Started and Ended are those of sessions.
const (
	Acknowledgement Moment = "ACKNOWLEDGEMENT"
	Started         Moment = "START"
	Ended           Moment = "END"
	// OtherMoment is one that only a newer version knows.
	OtherMoment Moment = "OTHER"
)

// Moments lists every moment.
var Moments = []Moment{Acknowledgement, Started, Ended}

// Response is what a channel says by itself at a moment: a component or a text.
type Response struct {
	Moment      Moment          `json:"moment"`
	ComponentID *string         `json:"componentId,omitempty"` // the public id, so that the audit shows it
	Parameters  []ResponseValue `json:"parameters,omitempty"`
	Text        *string         `json:"text,omitempty"` // a template over the conversation
}

// ResponseValue is the value of a parameter.
type ResponseValue struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// KnownMoment is the moment, OtherMoment for one that only a newer version knows.
func (r Response) KnownMoment() Moment {
	if slices.Contains(Moments, r.Moment) {
		return r.Moment
	}
	return OtherMoment
}

// Saying is the design of a text that is said by itself.
func Saying(text string) *Design {
	return &Design{Formats: []Format{{Format: channel.PlainText, Text: text}}}
}

// CheckResponses refuses what channels of a type cannot say by themselves, and makes texts
// fit for storage. The components themselves are the caller's to look at.
func CheckResponses(on *channel.Capabilities, responses []Response) error {
	const field = "input.autoResponses"
	if n := len(responses); n > len(Moments) {
		return fault.Input(field, "Give at most %d, one for each moment, not %d.", len(Moments), n)
	}
	for i := range responses {
		at, r := fmt.Sprintf("%s.%d", field, i), &responses[i]
		same := func(other Response) bool { return other.Moment == r.Moment }
		switch {
		case r.KnownMoment() == OtherMoment:
			return fault.Input(at+".moment", "There is no moment %q. Use ACKNOWLEDGEMENT, START or END.", r.Moment)
		case slices.ContainsFunc(responses[:i], same):
			return fault.Input(at+".moment", "The moment %s is there twice. Leave one out.", r.Moment)
		case (r.ComponentID == nil) == (r.Text == nil):
			return fault.Input(at, "Give either componentId or text.")
		case r.ComponentID != nil && !on.AutoResponses:
			return fault.Input(at+".componentId", "Channels of type %s answer by themselves with a text only. Give text.", on.Type)
		case r.Text != nil && len(r.Parameters) > 0:
			return fault.Input(at+".parameters", "Only a component has parameters. Leave them out.")
		case len(r.Parameters) > MostParameters:
			return fault.Input(at+".parameters", "Give at most %d, not %d.", MostParameters, len(r.Parameters))
		}
		if err := r.checkText(at+".text", on); err != nil {
			return err
		}
	}
	return nil
}

func (r *Response) checkText(at string, on *channel.Capabilities) error {
	if r.Text == nil {
		return nil
	}
	*r.Text = channel.CleanText(*r.Text)
	most := on.AutoResponseMost()
	switch n := utf8.RuneCountInString(*r.Text); {
	case channel.IsBlank(*r.Text):
		return fault.Input(at, "The text is empty. Write something.")
	case n > most:
		return fault.Input(at, "Use at most %d characters, not %d.", most, n)
	}
	_, err := Saying(*r.Text).Compile(AutoResponse, nil)
	if err != nil {
		return fault.At(at, err)
	}
	return nil
}
