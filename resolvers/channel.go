package resolvers

import (
	"github.com/99designs/gqlgen/graphql"

	"parley/graph"
	"parley/internal/desk/switchboard"
)

// channelUpdate is an input without the difference of absent and null: absent is nil,
// and null is the empty value.
func channelUpdate(in *graph.UpdateChannelInput) switchboard.UpdateChannelInput {
	return switchboard.UpdateChannelInput{
		ID: in.ID, Name: in.Name, Limits: in.Limits, AutoResponses: values(in.AutoResponses),
		DeveloperName: emptied(in.DeveloperName), QueueID: emptied(in.QueueID), RequiredConsent: emptied(in.RequiredConsent),
	}
}

// values are what a list points to; nil for no list.
func values[T any](list []*T) (values []T) {
	if list != nil {
		values = make([]T, len(list))
	}
	for i, v := range list {
		values[i] = *v
	}
	return values
}

// emptied is nil for what is absent, and the empty value for null.
func emptied[T any](o graphql.Omittable[*T]) *T {
	value, given := o.ValueOK()
	if given && value == nil {
		return new(T)
	}
	return value
}
