package channeltest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/channel"
)

// Dialect is how a platform writes components and tells of taps.
type Dialect struct {
	On channel.Type
	// Schema is the platform's documented shape and limits of a message, as JSON Schema.
	Schema []byte
	Encode func(to string, s channel.Structured) ([]byte, error)
	// Unchecked is Encode without its refusals.
	Unchecked func(to string, s channel.Structured) ([]byte, error)
	ReadTap   func(event []byte) (channel.Tap, bool)
	// Taps is nil where customers type their answers.
	Taps func(document []byte) ([][]byte, error)
	// Ours are the limits that the platform does not have, or no schema can state: a
	// reason, or a format and a reason.
	Ours []string
}

// RunDialect tests a dialect at every limit of every format and one beyond, with hostile
// texts, and with taps.
func RunDialect(t *testing.T, d Dialect) {
	schema := Schema(t, d.Schema)
	for _, rule := range channel.CapabilitiesOf(d.On).Formats {
		t.Run(string(d.On)+"/"+string(rule.Format), func(t *testing.T) {
			t.Parallel()
			t.Run("at its limits", func(t *testing.T) { d.runAtLimits(t, schema, rule) })
			t.Run("one beyond", func(t *testing.T) { d.runBeyond(t, schema, rule) })
			t.Run("any content", func(t *testing.T) { d.runAny(t, schema, rule) })
			t.Run("hostile", func(t *testing.T) { d.runHostile(t, schema, rule) })
			if d.Taps != nil {
				t.Run("taps", func(t *testing.T) { d.runTaps(t, rule) })
			}
		})
	}
	t.Run(string(d.On)+"/formats it does not show", func(t *testing.T) {
		t.Parallel()
		for _, f := range []channel.Format{"", "HOLOGRAM"} {
			_, err := d.Encode(recipient, channel.Structured{Format: f, Text: "Hello", Plain: "Hello"})
			require.Equal(t, []string{"NOT_ON_CHANNEL"}, reasons(t, err))
		}
	})
	t.Run(string(d.On)+"/events that are no tap", func(t *testing.T) {
		t.Parallel()
		for _, event := range []string{``, `null`, `[]`, `"x"`, `{}`, `{"type":"text","text":{"body":"2"}}`, `{"message":{"text":"2"}}`, `{"type":"answer","token":""}`, `{"postback":{"payload":" "}}`} {
			_, ok := d.ReadTap([]byte(event))
			require.False(t, ok, event)
		}
	})
}

const recipient = "4915112345678"

// Schema compiles a JSON schema.
func Schema(t *testing.T, document []byte) *jsonschema.Schema {
	t.Helper()
	const name = "mem:///schema.json"
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource(name, parsed))
	schema, err := c.Compile(name)
	require.NoError(t, err)
	return schema
}

// Validate judges a payload by a schema.
func Validate(t *testing.T, schema *jsonschema.Schema, payload []byte) error {
	t.Helper()
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(payload))
	require.NoError(t, err)
	return schema.Validate(parsed)
}

// Full is content with n options that is as long as the rule allows, in characters of
// several bytes.
func Full(r *channel.FormatRule, n int) channel.Structured {
	s := channel.Structured{Format: r.Format, Plain: "x"}
	if r.Format == channel.PlainText {
		s.Plain = long(r.Text)
		return s
	}
	if r.Format == channel.RegisteredTemplate {
		s.Template = &channel.Template{
			Name: strings.Repeat("a_9", 170) + "zz", Language: "en_US", Header: long(r.Title),
			Body: []channel.Placeholder{{Text: long(r.Text)}, {Text: long(r.Text)}},
		}
		if n == 0 { // then it may have a link
			s.Template.Suffix = address()
		}
	} else {
		s.Text, s.Label = long(r.Text), long(r.Label)
	}
	if isLink(r) {
		s.Link = &channel.Link{Title: long(r.Title), URL: address(), Image: &channel.Image{URL: address(), Alt: "A picture"}, Popup: r.Popup}
	}
	for i := range n {
		s.Options = append(s.Options, channel.Option{
			Token: fmt.Sprintf("%0*d", channel.MaxToken, i), Title: fmt.Sprintf("%02d", i) + long(r.OptionTitle-2),
			Subtitle: long(r.OptionSubtitle), Image: &channel.Image{URL: address()},
		})
	}
	return s
}

// isLink reports whether a link is shown by the rule.
func isLink(r *channel.FormatRule) bool { return r.Title > 0 && r.Format != channel.RegisteredTemplate }

// long is n characters of two or four bytes.
func long(n int) string {
	return strings.Repeat("é👍", max(n, 0)/2) + strings.Repeat("ü", max(n, 0)%2)
}

// address is the longest address.
func address() string {
	const host = "https://shop.example.com/"
	return host + strings.Repeat("a", channel.MaxLinkURL-len(host))
}

func (d Dialect) runAtLimits(t *testing.T, schema *jsonschema.Schema, r channel.FormatRule) {
	fits := func(s channel.Structured) {
		t.Helper()
		payload, err := d.Encode(recipient, s)
		require.NoError(t, err)
		require.NoError(t, Validate(t, schema, payload), "%s", payload)
		again, err := d.Encode(recipient, s)
		require.NoError(t, err)
		require.Equal(t, payload, again, "the same content is the same payload")
	}
	for n := r.MinOptions; n <= r.MaxOptions; n++ {
		fits(Full(&r, n))
		fits(least(&r, n))
	}
}

// least is the least content that the rule allows.
func least(r *channel.FormatRule, n int) channel.Structured {
	s := channel.Structured{Format: r.Format, Plain: "?"}
	if r.Label > 0 {
		s.Label = "Open"
	}
	if r.Format == channel.RegisteredTemplate {
		s.Template = &channel.Template{Name: "a", Language: "de", Body: []channel.Placeholder{{Name: "what", Text: "?"}}}
	}
	if isLink(r) {
		s.Link = &channel.Link{Title: "t", URL: "http://a.example"}
		if r.RequiresImage {
			s.Link.Image = &channel.Image{URL: "http://a.example/i.png"}
		}
	}
	if r.MaxOptions > 0 {
		s.Text = "?"
	}
	for i := range n {
		o := channel.Option{Token: fmt.Sprint(i), Title: fmt.Sprint(i)}
		if r.RequiresImage {
			o.Image = &channel.Image{URL: "http://a.example/i.png"}
		}
		s.Options = append(s.Options, o)
	}
	return s
}

// runBeyond goes one beyond each limit by itself. The encoder refuses it with its reason,
// and so does the platform's schema what the encoder would have written.
func (d Dialect) runBeyond(t *testing.T, schema *jsonschema.Schema, r channel.FormatRule) {
	for name, spoilt := range Beyond(r) {
		reason, _, _ := strings.Cut(name, " ")
		_, err := d.Encode(recipient, spoilt)
		require.Equal(t, []string{reason}, reasons(t, err), name)
		if d.isOurs(r, reason) {
			continue
		}
		payload, err := d.Unchecked(recipient, spoilt)
		require.NoError(t, err)
		require.Error(t, Validate(t, schema, payload), "%s would be taken: %s", name, payload)
	}
}

// runAny sends content of any lengths about the limits: what is not refused, the
// platform takes.
func (d Dialect) runAny(t *testing.T, schema *jsonschema.Schema, r channel.FormatRule) {
	rapid.Check(t, func(rt *rapid.T) {
		s := Full(&r, rapid.IntRange(0, r.MaxOptions+1).Draw(rt, "options"))
		lengths := map[string]int{} // one for each kind of text, or hardly any content of many options would fit
		cut := func(text *string, label string) {
			length, drawn := lengths[label]
			if !drawn {
				length = rapid.SampledFrom([]int{0, 1, 20, 21, 1 << 20}).Draw(rt, label)
				lengths[label] = length
			}
			*text = channel.Cut(*text+"x", length)
		}
		cut(&s.Text, "text")
		cut(&s.Label, "label")
		cut(&s.Plain, "plain")
		if s.Link != nil {
			cut(&s.Link.Title, "title")
			cut(&s.Link.Image.URL, "image")
		}
		if s.Template != nil {
			cut(&s.Template.Name, "name")
			cut(&s.Template.Header, "header")
			cut(&s.Template.Body[0].Text, "placeholder")
			cut(&s.Template.Suffix, "suffix")
		}
		for i := range s.Options {
			cut(&s.Options[i].Title, "option")
			cut(&s.Options[i].Subtitle, "subtitle")
			cut(&s.Options[i].Image.URL, "option image")
		}
		payload, err := d.Encode(recipient, s)
		if err != nil {
			require.NotEmpty(rt, reasons(rt, err))
			return
		}
		parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(payload))
		require.NoError(rt, err)
		require.NoError(rt, schema.Validate(parsed), "%s", payload)
	})
}

func (d Dialect) isOurs(r channel.FormatRule, reason string) bool {
	return slices.Contains(d.Ours, reason) || slices.Contains(d.Ours, string(r.Format)+" "+reason)
}

// reasons are those of an *channel.UnfitError.
func reasons(t require.TestingT, err error) (all []string) {
	var unfit *channel.UnfitError
	require.True(t, errors.As(err, &unfit), "%v", err)
	require.NotEmpty(t, unfit.Error())
	for _, m := range unfit.Misfits {
		all = append(all, string(m.Reason))
	}
	return all
}

// Hostile are texts that would do something where text is not kept apart from what
// surrounds it.
var Hostile = []string{
	`<script>alert(1)</script>`, `","x":"`, `{"a":[1]}`, "a\u2028b\u2029c", `\u0022\`, "a\x00b", "{{1}} {!x}", "%s%n", "\u202eevil", "'; DROP TABLE", "\ufeffx",
}

// runHostile checks that texts change no shape: they come out as they went in.
func (d Dialect) runHostile(t *testing.T, schema *jsonschema.Schema, r channel.FormatRule) {
	shape := d.shapeOf(t, least(&r, r.MinOptions), nil)
	for _, text := range Hostile {
		s := least(&r, r.MinOptions)
		s.Plain = text
		switch {
		case s.Template != nil:
			text = channel.OneLine(text)
			s.Template.Body[0].Text = text
		case r.MaxOptions > 0:
			s.Text, s.Options[0].Title = text, channel.Cut(text, r.OptionTitle)
		}
		if isLink(&r) {
			s.Link.Title = channel.Cut(text, r.Title)
		}
		seen := map[string]bool{}
		require.Equal(t, shape, d.shapeOf(t, s, seen), text)
		payload, err := d.Encode(recipient, s)
		require.NoError(t, err)
		require.NoError(t, Validate(t, schema, payload))
		shown := text
		if isLink(&r) {
			shown = s.Link.Title
		}
		require.True(t, seen[shown], "%q is not in %s", shown, payload)
	}
}

// shapeOf is a payload without its texts, which it adds to seen.
func (d Dialect) shapeOf(t *testing.T, s channel.Structured, seen map[string]bool) any {
	t.Helper()
	payload, err := d.Encode(recipient, s)
	require.NoError(t, err)
	var parsed any
	require.NoError(t, json.Unmarshal(payload, &parsed))
	return withoutTexts(parsed, seen)
}

func withoutTexts(v any, seen map[string]bool) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			v[key] = withoutTexts(value, seen)
		}
	case []any:
		for i, value := range v {
			v[i] = withoutTexts(value, seen)
		}
	case string:
		if seen != nil {
			seen[v] = true
		}
		return ""
	}
	return v
}

// runTaps taps every option of the payload and finds its token in what the platform
// tells.
func (d Dialect) runTaps(t *testing.T, r channel.FormatRule) {
	s := Full(&r, r.MaxOptions)
	events := d.tapsOf(t, d.Encode, s)
	require.Len(t, events, len(s.Options))
	for i, o := range s.Options {
		tap, ok := d.ReadTap(events[i])
		require.True(t, ok, "%s", events[i])
		require.Equal(t, o.Token, tap.Token)
		if s.Template == nil { // whose buttons are registered with their titles
			require.Equal(t, o.Title, tap.Title)
		}
		s.Options[i].Token += "x"
	}
	for _, event := range d.tapsOf(t, d.Unchecked, s) {
		_, ok := d.ReadTap(event)
		require.False(t, ok, "a token longer than any of ours: %s", event)
	}
	_, err := d.Taps([]byte("{"))
	require.Error(t, err)
}

func (d Dialect) tapsOf(t *testing.T, encode func(string, channel.Structured) ([]byte, error), s channel.Structured) [][]byte {
	t.Helper()
	payload, err := encode(recipient, s)
	require.NoError(t, err)
	events, err := d.Taps(payload)
	require.NoError(t, err)
	return events
}
