package switchboard

import (
	"maps"
	"slices"
	"strings"

	"parley/ent"
	"parley/internal/channel"
	"parley/internal/ground/fault"
)

// mostLimit bounds each of a channel's limits.
const mostLimit = 10_000_000

func checkLimits(limits *channel.SendLimits) error {
	if limits == nil {
		return nil
	}
	all := limits.All()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if n := all[name]; n < 0 || n > mostLimit {
			return fault.Input("input.limits."+name, "Use 1 to %d, or leave it out for the default of the channel's type.", mostLimit)
		}
	}
	return nil
}

func checkDeveloperName(name *string) error {
	if name == nil || *name == "" {
		return nil
	}
	if len(*name) > mostDeveloperName || !developerName.MatchString(*name) {
		return fault.Input("input.developerName", "Use 1 to %d letters, digits and underscores, a letter first.", mostDeveloperName)
	}
	return nil
}

// unusedDeveloperName refuses a name that one of the channels has.
func unusedDeveloperName(name string, channels []*ent.Channel) error {
	for _, c := range channels {
		if name != "" && strings.EqualFold(c.DeveloperName, name) {
			return fault.Input("input.developerName", "The channel %q has the developer name %q already, whatever the case of its letters. Choose another.", c.Name, c.DeveloperName)
		}
	}
	return nil
}

// checkConsent refuses a level of consent that channels of type t cannot require, and
// none where they have to.
func checkConsent(t channel.Type, required channel.Consent) error {
	modes := channel.CapabilitiesOf(t).ConsentModes
	switch {
	case required == leastConsent(t) || slices.Contains(modes, required):
		return nil
	case len(modes) == 0:
		return fault.Input("input.requiredConsent", "Channels of type %s require no consent: the customer always writes first. Leave it out.", t)
	}
	names := make([]string, len(modes))
	for i, mode := range modes {
		names[i] = string(mode)
	}
	return fault.Input("input.requiredConsent", "Channels of type %s can require %s.", t, strings.Join(names, " or "))
}

// leastConsent is what a channel of type t requires at least: explicit consent on short
// codes, and none elsewhere.
func leastConsent(t channel.Type) channel.Consent {
	if t == channel.SMSShortCode {
		return channel.ExplicitOptIn
	}
	return ""
}
