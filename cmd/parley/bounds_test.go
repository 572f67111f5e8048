package main

import (
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

// Every flag that takes a number says what it takes at least, and less is refused
// before anything is opened.
func TestEveryNumberHasABound(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&cli{})
	require.NoError(t, err)
	checked := 0
	for _, leaf := range parser.Model.Leaves(false) {
		for _, flag := range leaf.Flags {
			if flag.Name == "seed" || !flag.Target.CanInt() && !flag.Target.CanFloat() {
				continue
			}
			checked++
			below := []string{"-1"}
			if flag.Target.CanFloat() {
				below = append(below, "NaN", "Inf")
			}
			if flag.Target.Type() == reflect.TypeFor[time.Duration]() {
				below = []string{"-1s"}
			}
			for _, value := range below {
				args := []string{"--database", filepath.Join(t.TempDir(), "none.db"), "--" + flag.Name + "=" + value}
				words := append([]string{leaf.Name}, args...)
				for parent := leaf.Parent; parent != nil && parent.Type == kong.CommandNode; parent = parent.Parent {
					words = append([]string{parent.Name}, words...)
				}
				for range leaf.Positional {
					words = append(words, "amy")
				}
				_, err := command(t, words...)
				require.ErrorContains(t, err, "--"+flag.Name+" must be ", "%v", words)
			}
		}
	}
	require.Greater(t, checked, 20)
}
