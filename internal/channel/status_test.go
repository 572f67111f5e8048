package channel_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/channel"
)

func TestStatusAfter(t *testing.T) {
	t.Parallel()
	cases := []struct{ is, report, want channel.Status }{
		{channel.Sending, channel.Sent, channel.Sent},
		{channel.Delivered, channel.Sent, channel.Delivered},
		{channel.Unsettled, channel.Sent, channel.Sent},
		{channel.Unsettled, channel.Failed, channel.Failed},
		{channel.Failed, channel.Delivered, channel.Delivered},
		{channel.Failed, channel.Sent, channel.Failed},
		{channel.Delivered, channel.Failed, channel.Delivered},
		{channel.Read, channel.Failed, channel.Read},
		{channel.Sent, "NONSENSE", channel.Sent},
		{"LATER", channel.Sent, "LATER"},
		{"LATER", channel.Failed, "LATER"},
		{"LATER", channel.Delivered, channel.Delivered},
		{"LATER", channel.Read, channel.Read},
	}
	for _, c := range cases {
		require.Equal(t, c.want, c.is.After(c.report), "%s after %s", c.report, c.is)
	}
}

func TestStatusDoesNotDependOnTheOrderOfReports(t *testing.T) {
	t.Parallel()
	all := []channel.Status{
		channel.Queued, channel.Sending, channel.Unsettled, channel.Sent, channel.Failed, channel.Delivered, channel.Read,
	}
	rapid.Check(t, func(t *rapid.T) {
		reports := rapid.SliceOfN(rapid.SampledFrom(all), 1, 8).Draw(t, "reports")
		shuffled := rapid.Permutation(reports).Draw(t, "shuffled")
		require.Equal(t, fold(reports), fold(shuffled))
	})
}

func fold(reports []channel.Status) channel.Status {
	s := channel.Queued
	for _, r := range reports {
		s = s.After(r)
	}
	return s
}
