package switchboard_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each field of the graph's formats is the one of Go: formats that differ in every one
// of them are spelt out.
func TestFormatsAreData(t *testing.T) {
	t.Parallel()
	got := setup(t).As("amy").Do(`{ channelTypes { type formats { format kinds minOptions maxOptions textCharacters titleCharacters labelCharacters
		optionCharacters subtitleCharacters showsImages requiresImages requiresDistinctOptions canPopUp } } }`, nil).Get("channelTypes")
	rule := func(format string, kinds []string, change vars) vars {
		v := vars{
			"format": format, "kinds": kinds, "minOptions": nil, "maxOptions": nil, "titleCharacters": nil, "labelCharacters": nil, "optionCharacters": nil,
			"subtitleCharacters": nil, "showsImages": false, "requiresImages": false, "requiresDistinctOptions": false, "canPopUp": false,
		}
		for name, value := range change {
			v[name] = value
		}
		return v
	}
	links, chosen := []string{"ENHANCED_LINK"}, []string{"STATIC_QUESTION", "DYNAMIC_QUESTION", "TIME_SELECTOR"}
	sent, all := append(links[:1:1], chosen...), append(append(links[:1:1], chosen...), "AUTO_RESPONSE")
	for i, want := range map[int][]vars{
		0: {rule("TEXT", sent, vars{"textCharacters": 840})},
		3: {},
		4: {
			rule("RICH_LINK", links, vars{"textCharacters": 1024, "titleCharacters": 20, "showsImages": true}),
			rule("BUTTONS", chosen, vars{"textCharacters": 1024, "minOptions": 1, "maxOptions": 3, "optionCharacters": 20, "requiresDistinctOptions": true}),
			rule("LIST", chosen, vars{"textCharacters": 1024, "minOptions": 1, "maxOptions": 10, "labelCharacters": 20, "optionCharacters": 24, "subtitleCharacters": 72}),
			rule("REGISTERED_TEMPLATE", []string{"ENHANCED_LINK", "STATIC_QUESTION"}, vars{"textCharacters": 1024, "titleCharacters": 60, "maxOptions": 10, "optionCharacters": 25, "showsImages": true}),
			rule("TEXT", sent, vars{"textCharacters": 4096}),
		},
		5: {},
		6: {
			rule("MEDIA", links, vars{"textCharacters": 80, "titleCharacters": 80, "showsImages": true, "requiresImages": true}),
			rule("BUTTONS", chosen, vars{"textCharacters": 640, "minOptions": 1, "maxOptions": 3, "optionCharacters": 20}),
			rule("QUICK_REPLIES", chosen, vars{"textCharacters": 2000, "minOptions": 3, "maxOptions": 13, "optionCharacters": 20, "showsImages": true}),
			rule("CARD_CAROUSEL", chosen[:2], vars{"textCharacters": 80, "minOptions": 1, "maxOptions": 10, "optionCharacters": 20, "subtitleCharacters": 80, "showsImages": true, "requiresImages": true}),
			rule("TEXT", sent, vars{"textCharacters": 2000}),
		},
		7: {
			rule("RICH_LINK", links, vars{"textCharacters": 4096, "titleCharacters": 200, "showsImages": true}),
			rule("BUTTONS", chosen, vars{"textCharacters": 4096, "minOptions": 1, "maxOptions": 3, "optionCharacters": 80}),
			rule("QUICK_REPLIES", chosen, vars{"textCharacters": 4096, "minOptions": 3, "maxOptions": 13, "optionCharacters": 80, "showsImages": true}),
			rule("WEB_PAGE", []string{"AUTO_RESPONSE"}, vars{"textCharacters": 4096, "titleCharacters": 200, "canPopUp": true}),
			rule("TEXT", all, vars{"textCharacters": 4096}),
		},
	} {
		encoded, err := json.Marshal(want)
		require.NoError(t, err)
		require.JSONEq(t, string(encoded), got.Get(i, "formats").String(), got.Get(i, "type").String())
	}
}
