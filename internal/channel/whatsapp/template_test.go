package whatsapp_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel/channeltest"
	"parley/internal/channel/whatsapp"
)

const to = "+4915112345678"

func full() whatsapp.Template {
	t := whatsapp.Template{Name: strings.Repeat("a_9", 170) + "zz", Language: "en_US", Header: whatsapp.TextParameter{Text: strings.Repeat("ü", 60)}}
	for range 48 {
		t.Body = append(t.Body, whatsapp.TextParameter{Text: strings.Repeat("👍", 1024)})
	}
	t.Body = append(t.Body,
		whatsapp.CurrencyParameter{Code: "EUR", Thousandths: math.MaxInt32, Plain: "€2,147,483.647"}, whatsapp.DateParameter{Plain: "24 December"})
	for i := range 9 {
		t.Buttons = append(t.Buttons, whatsapp.TemplateButton{Index: i, Token: strings.Repeat("t", 128)})
	}
	t.Buttons = append(t.Buttons, whatsapp.TemplateButton{Index: 9, Suffix: "orders/4711"})
	return t
}

func TestTemplatesAtTheirLimits(t *testing.T) {
	t.Parallel()
	compiled := channeltest.Schema(t, schema)
	least := whatsapp.Template{Name: "hello", Language: "de"}
	pictured := whatsapp.Template{Name: "hello", Language: "de", Header: whatsapp.ImageParameter{URL: "https://shop.example.com/i.png"}}
	named := whatsapp.Template{Name: "hello", Language: "de", Body: []whatsapp.Parameter{
		whatsapp.TextParameter{Name: "first", Text: "Zoë"},
		whatsapp.CurrencyParameter{Name: "total", Code: "EUR", Thousandths: -100_990, Plain: "-€100.99"},
		whatsapp.DateParameter{Name: "day", Plain: "24 December"},
	}}
	for _, template := range []whatsapp.Template{least, pictured, named, full()} {
		got, err := whatsapp.EncodeTemplate(to, template)
		require.NoError(t, err)
		require.NoError(t, channeltest.Validate(t, compiled, got), "%s", got)
	}
	got, err := whatsapp.EncodeTemplate(to, named)
	require.NoError(t, err)
	require.JSONEq(t, `{"messaging_product":"whatsapp","recipient_type":"individual","to":"+4915112345678","type":"template","template":{
		"name":"hello","language":{"policy":"deterministic","code":"de"},"components":[{"type":"body","parameters":[
		{"type":"text","parameter_name":"first","text":"Zoë"},
		{"type":"currency","parameter_name":"total","currency":{"fallback_value":"-€100.99","code":"EUR","amount_1000":-100990}},
		{"type":"date_time","parameter_name":"day","date_time":{"fallback_value":"24 December"}}]}]}}`, string(got))
}

func TestTemplatesOneBeyond(t *testing.T) {
	t.Parallel()
	compiled := channeltest.Schema(t, schema)
	const ours = true // the schema has no such limit
	cases := map[string]struct {
		spoil func(*whatsapp.Template)
		ours  bool
	}{
		"template's name":                    {func(t *whatsapp.Template) { t.Name += "a" }, false},
		"template's name is":                 {func(t *whatsapp.Template) { t.Name = "Hello" }, false},
		"template's language":                {func(t *whatsapp.Template) { t.Language = "english" }, false},
		"more than 50":                       {func(t *whatsapp.Template) { t.Body = append(t.Body, t.Body[0]) }, ours},
		"header: it has 61 characters":       {func(t *whatsapp.Template) { t.Header = whatsapp.TextParameter{Text: strings.Repeat("ü", 61)} }, false},
		"header: it is neither":              {func(t *whatsapp.Template) { t.Header = whatsapp.DateParameter{Plain: "today"} }, false},
		"header: its address":                {func(t *whatsapp.Template) { t.Header = whatsapp.ImageParameter{URL: "javascript:x"} }, false},
		"body parameter 1: it has more than": {func(t *whatsapp.Template) { t.Body[0] = whatsapp.TextParameter{Text: strings.Repeat("ü", 1025)} }, false},
		"body parameter 1: it is blank":      {func(t *whatsapp.Template) { t.Body[0] = whatsapp.TextParameter{} }, false},
		"body parameter 1: it has a line":    {func(t *whatsapp.Template) { t.Body[0] = whatsapp.TextParameter{Text: "a\nb"} }, false},
		"five spaces":                        {func(t *whatsapp.Template) { t.Body[0] = whatsapp.DateParameter{Plain: "a     b"} }, false},
		"body parameter 1: its currency":     {func(t *whatsapp.Template) { t.Body[0] = whatsapp.CurrencyParameter{Code: "eur", Plain: "1"} }, false},
		"body parameter 1: its amount": {func(t *whatsapp.Template) {
			t.Body[0] = whatsapp.CurrencyParameter{Code: "EUR", Plain: "1", Thousandths: 1 << 31}
		}, false},
		"body parameter 1 is an image":           {func(t *whatsapp.Template) { t.Body[0] = whatsapp.ImageParameter{URL: "https://a.example/i.png"} }, false},
		"1 of the template's 50 body parameters": {func(t *whatsapp.Template) { t.Body[0] = whatsapp.TextParameter{Name: "first", Text: "x"} }, ours},
		"button 10":                              {func(t *whatsapp.Template) { t.Buttons[9].Index = 10 }, false},
		"button 0: its index":                    {func(t *whatsapp.Template) { t.Buttons[9].Index = 0 }, ours},
		"button 0: it needs either":              {func(t *whatsapp.Template) { t.Buttons[0].Token = "" }, false},
		"button 0: a token":                      {func(t *whatsapp.Template) { t.Buttons[0].Token += "t" }, false},
	}
	for want, c := range cases {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			template := full()
			c.spoil(&template)
			_, err := whatsapp.EncodeTemplate(to, template)
			require.ErrorContains(t, err, want)
			if c.ours {
				return
			}
			got, err := whatsapp.UncheckedTemplate(to, template)
			require.NoError(t, err)
			require.Error(t, channeltest.Validate(t, compiled, got), "it would be taken: %s", got)
		})
	}
}

func TestHostileParametersAreData(t *testing.T) {
	t.Parallel()
	compiled := channeltest.Schema(t, schema)
	for _, text := range channeltest.Hostile {
		got, err := whatsapp.EncodeTemplate(to, whatsapp.Template{Name: "hello", Language: "de", Body: []whatsapp.Parameter{whatsapp.TextParameter{Text: text}}})
		require.NoError(t, err)
		require.NoError(t, channeltest.Validate(t, compiled, got), "%s", got)
	}
	_, err := whatsapp.EncodeTemplate(to, whatsapp.Template{Name: `x"}`, Language: "de"})
	require.Error(t, err)
}
