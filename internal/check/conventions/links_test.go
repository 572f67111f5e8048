package conventions

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var link = regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)

// A document links to files that are there, so that its lists of places stay true.
func TestDocumentsLinkToWhatIsThere(t *testing.T) {
	t.Parallel()
	root := rootOf(t)
	var documents []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md", "clients/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		documents = append(documents, found...)
	}
	require.Greater(t, len(documents), 40)
	links := 0
	for _, document := range documents {
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		for _, found := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			links++
			_, err := os.Stat(filepath.Join(filepath.Dir(document), found[1]))
			require.NoError(t, err, "%s links to %s", document, found[1])
		}
	}
	require.Greater(t, links, 50)
}
