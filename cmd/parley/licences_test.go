package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every part is listed with a licence, and each licence is there in its own words.
func TestLicencesOfEverythingInTheProgramArePrinted(t *testing.T) {
	t.Parallel()
	text, err := command(t, "licences")
	require.NoError(t, err)
	for _, listed := range []string{
		"Go's standard library and runtime: BSD-3-Clause", "github.com/mattn/go-sqlite3 v", "github.com/jackc/pgx/v5 v", "react-dom 18",
	} {
		require.Contains(t, text, "\n  "+listed)
	}
	parts := regexp.MustCompile(`(?m)^  (\S.*): \S`).FindAllStringSubmatch(text, -1)
	require.Greater(t, len(parts), 150)
	for _, part := range parts {
		require.Contains(t, strings.Split(text, "\n"), part[1], "a licence stands under the name of who came with it")
	}
}
