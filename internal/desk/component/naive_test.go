package component_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/channel"
	"parley/internal/desk/component"
	"parley/internal/desk/formula"
)

// naive replaces merge fields one by one, and writes a list line by line.
func naive(template string, values map[string]string, items []component.Item) string {
	for name, value := range values {
		template = strings.ReplaceAll(template, "{!"+name+"}", value)
		template = strings.ReplaceAll(template, "{! UPPER( "+name+" ) }", strings.ToUpper(value))
	}
	lines := ""
	for i, item := range items {
		lines += fmt.Sprintf("%d) %s", i+1, item.Name)
		if i < len(items)-1 {
			lines += "; "
		}
	}
	return strings.TrimSpace(strings.ReplaceAll(template, "{!$ListTemplates.All}", lines))
}

func TestTemplatesAgainstANaiveInterpreter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-zé <>&"0-9]{1,12}[a-z]`)
		values := map[string]string{"$Constants.One": word.Draw(t, "one"), "$Constants.Two": word.Draw(t, "two"), "$Parameters.Three": word.Draw(t, "three")}
		items := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,8}`), 1, component.MostItems, rapid.ID[string]).Draw(t, "items")
		list := make([]component.Item, len(items))
		for i, name := range items {
			list[i].Name = name
		}
		parts := []string{"{!$Constants.One}", "{!$Constants.Two}", "{!$Parameters.Three}", "{! UPPER( $Constants.One ) }", "{!$ListTemplates.All}", "plain ", "\n", "} ", "$ "}
		template := strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 1, 20).Draw(t, "template"), "") + "."
		d := component.Design{
			Constants: []component.Constant{
				{Name: "One", Type: component.TextConstant, Text: values["$Constants.One"]},
				{Name: "Two", Type: component.TextConstant, Text: values["$Constants.Two"]},
				{Name: "List", Type: component.ListConstant, Items: list},
			},
			Parameters:    []component.Parameter{{Name: "Three", Type: formula.Text}},
			ListTemplates: []component.ListTemplate{{Name: "All", List: "$Constants.List", Template: `{!$ListItem.Index}) {!$ListItem.Value.Name}{!IF($ListItem.IsLast, "", "; ")}`}},
			Formats:       []component.Format{{Format: channel.PlainText, Text: template}},
		}
		require.NoError(t, d.Check(component.EnhancedLink, types))
		c, err := d.Compile(component.EnhancedLink, types)
		require.NoError(t, err)
		f := c.Fill(&component.Values{Zone: time.UTC, Parameters: map[string]formula.Value{"$parameters.three": formula.TextOf(values["$Parameters.Three"])}})
		require.Empty(t, f.Missing)
		require.Equal(t, naive(template, values, list), f.Formats[0].Plain)
	})
}
