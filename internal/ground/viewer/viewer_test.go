package viewer_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/viewer"
)

func TestEveryPermissionHasAName(t *testing.T) {
	t.Parallel()
	for _, p := range viewer.Permissions {
		named, found := viewer.PermissionNamed(p.Name())
		require.True(t, found, p)
		require.Equal(t, p, named)
	}
	require.Empty(t, viewer.Permission("Fly").Name())
	_, found := viewer.PermissionNamed("")
	require.False(t, found)
	require.Equal(t, []string{"TAKE_ACTION"}, viewer.PermissionNames([]viewer.Permission{viewer.TakeAction}))
}
