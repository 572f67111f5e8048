package version

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestABuildIsNamedByVersionOrCommit(t *testing.T) {
	t.Parallel()
	commit := []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef"}}
	require.Equal(t, "v1.2.3", of(&debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: commit}))
	require.Equal(t, "0123456789ab", of(&debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: commit}))
	require.Equal(t, unknown, of(&debug.BuildInfo{}))
	require.NotEmpty(t, String())
}
