package sandbox

import (
	"errors"
	"fmt"

	"parley/internal/channel"
	"parley/internal/channel/platform"
)

// tapped is the message that a tap makes: the event by which the channel's platform would
// tell of it.
func (p *Provider) tapped(a channel.Account, e Entry) (Entry, error) {
	if p.carrier == nil {
		return e, errors.New("this process plays no carrier, so that nobody got a component to tap")
	}
	m, ok := p.carrier.book.lastComponent(string(credentials(a).Secret), e.To, e.From)
	if !ok {
		return e, errors.New("the customer got no component from the channel since this process started")
	}
	events, err := platform.Taps(m.Type, []byte(m.Payload))
	switch {
	case err != nil:
		return e, err
	case len(events) == 0:
		return e, errors.New("the last component has no options to tap")
	case e.Option < 1 || e.Option > len(events):
		return e, fmt.Errorf("the last component has no option %d: it has %d", e.Option, len(events))
	}
	e.Type, e.Text, e.Channel, e.Event = "message", "", m.Type, events[e.Option-1]
	return e, nil
}
