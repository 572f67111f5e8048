package whatsapp

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"parley/internal/channel"
)

// The bounds of a registered template's parameters.
const (
	maxHeaderText  = 60
	maxParameter   = 1024 // characters, as of the whole body
	maxParameters  = 50   // ours
	maxButtons     = 10
	maxTemplateTap = 128 // bytes of a quick reply's payload
)

// Template is a message that is registered with WhatsApp, with its parameters filled in.
// It may be sent outside the care window too.
type Template struct {
	Name     string
	Language string // such as "en" or "en_US"
	// Header is a text or an image; nil for a header without a parameter, or none.
	Header Parameter
	// Body is in the order of the placeholders. Either each parameter has a name, for
	// placeholders with names, or none has.
	Body []Parameter
	// Buttons are the buttons with parameters.
	Buttons []TemplateButton
}

// Parameter is a value for a placeholder: a TextParameter, CurrencyParameter,
// DateParameter or ImageParameter.
type Parameter interface {
	document() parameter
	problem() string
}

// TextParameter is a text of one line.
type TextParameter struct{ Name, Text string }

// CurrencyParameter is an amount, which WhatsApp writes as the customer's device does.
type CurrencyParameter struct {
	Name        string
	Code        string // of ISO 4217
	Thousandths int64
	Plain       string // the amount in words of ours, for devices that cannot
}

// DateParameter is a date or a time, in words of ours.
type DateParameter struct{ Name, Plain string }

// ImageParameter is an image at a public address, for headers.
type ImageParameter struct{ URL string }

// TemplateButton is a button with a parameter. One of Token and Suffix is set.
type TemplateButton struct {
	Index  int    // of the template's buttons, from 0
	Token  string // of a quick reply
	Suffix string // at the end of a link's address
}

func (p TextParameter) document() parameter {
	return parameter{Type: "text", Name: p.Name, Text: p.Text}
}

func (p CurrencyParameter) document() parameter {
	return parameter{Type: "currency", Name: p.Name, Currency: &currency{p.Plain, p.Code, p.Thousandths}}
}

func (p DateParameter) document() parameter {
	return parameter{Type: "date_time", Name: p.Name, DateTime: &dateTime{p.Plain}}
}

func (p ImageParameter) document() parameter {
	return parameter{Type: "image", Image: &media{p.URL}}
}

func (p TextParameter) problem() string { return lineProblem(p.Text) }

func (p CurrencyParameter) problem() string {
	switch {
	case !currencyCode.MatchString(p.Code):
		return "its currency is no code of three capital letters"
	case p.Thousandths > math.MaxInt32 || p.Thousandths < math.MinInt32:
		return fmt.Sprintf("its amount is beyond %d thousandths", math.MaxInt32)
	}
	return lineProblem(p.Plain)
}

func (p DateParameter) problem() string { return lineProblem(p.Plain) }

func (p ImageParameter) problem() string {
	if !channel.OnTheWeb(p.URL) || len(p.URL) > channel.MaxLinkURL {
		return fmt.Sprintf("its address is none of the web of at most %d bytes", channel.MaxLinkURL)
	}
	return ""
}

// lineProblem says what WhatsApp refuses in a parameter.
func lineProblem(s string) string {
	switch {
	case channel.IsBlank(s):
		return "it is blank"
	case utf8.RuneCountInString(s) > maxParameter:
		return fmt.Sprintf("it has more than %d characters", maxParameter)
	case strings.ContainsAny(s, "\n\r\t") || strings.Contains(s, "     "):
		return "it has a line break, a tab or five spaces in a row"
	}
	return ""
}

var (
	templateName     = regexp.MustCompile(`^[a-z0-9_]{1,512}$`)
	templateLanguage = regexp.MustCompile(`^[a-z]{2,3}(_[A-Z]{2})?$`)
	currencyCode     = regexp.MustCompile(`^[A-Z]{3}$`)
)

// EncodeTemplate returns the request body that sends t to a phone number. Its error
// names the part of t that WhatsApp would refuse.
func EncodeTemplate(to string, t Template) ([]byte, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	return encodeTemplate(to, t)
}

func encodeTemplate(to string, t Template) ([]byte, error) {
	r := addressed(to)
	r.Type = "template"
	r.Template = &template{Name: t.Name, Language: language{"deterministic", t.Language}}
	if t.Header != nil {
		r.Template.add(component{Type: "header", Parameters: []parameter{t.Header.document()}})
	}
	if len(t.Body) > 0 {
		body := component{Type: "body"}
		for _, p := range t.Body {
			body.Parameters = append(body.Parameters, p.document())
		}
		r.Template.add(body)
	}
	for _, b := range t.Buttons {
		r.Template.add(b.document())
	}
	return json.Marshal(r)
}

func (b TemplateButton) document() component {
	c := component{Type: "button", SubType: "quick_reply", Index: strconv.Itoa(b.Index), Parameters: []parameter{{Type: "payload", Payload: b.Token}}}
	if b.Suffix != "" {
		c.SubType, c.Parameters = "url", []parameter{{Type: "text", Text: b.Suffix}}
	}
	return c
}

func (t Template) check() error {
	switch {
	case !templateName.MatchString(t.Name):
		return fmt.Errorf("the template's name is not 1 to 512 of a-z, 0-9 and underscore")
	case !templateLanguage.MatchString(t.Language):
		return fmt.Errorf("the template's language is none, such as en or en_US")
	case len(t.Body) > maxParameters:
		return fmt.Errorf("the template's body has %d parameters, more than %d", len(t.Body), maxParameters)
	}
	if err := checkHeader(t.Header); err != nil {
		return err
	}
	named := 0
	for i, p := range t.Body {
		if problem := p.problem(); problem != "" {
			return fmt.Errorf("the template's body parameter %d: %s", i+1, problem)
		}
		if _, image := p.(ImageParameter); image {
			return fmt.Errorf("the template's body parameter %d is an image, which only a header takes", i+1)
		}
		if p.document().Name != "" {
			named++
		}
	}
	if named > 0 && named < len(t.Body) {
		return fmt.Errorf("%d of the template's %d body parameters have names: either all have one or none", named, len(t.Body))
	}
	return checkButtons(t.Buttons)
}

func checkHeader(p Parameter) error {
	if p == nil {
		return nil
	}
	problem := p.problem()
	switch p := p.(type) {
	case ImageParameter:
	case TextParameter:
		if n := utf8.RuneCountInString(p.Text); problem == "" && n > maxHeaderText {
			problem = fmt.Sprintf("it has %d characters, more than %d", n, maxHeaderText)
		}
	default:
		problem = "it is neither a text nor an image"
	}
	if problem != "" {
		return fmt.Errorf("the template's header: %s", problem)
	}
	return nil
}

func checkButtons(buttons []TemplateButton) error {
	seen := map[int]bool{}
	for _, b := range buttons {
		switch {
		case b.Index < 0 || b.Index >= maxButtons || seen[b.Index]:
			return fmt.Errorf("the template's button %d: its index is not between 0 and %d, or another button's", b.Index, maxButtons-1)
		case (b.Token == "") == (b.Suffix == ""):
			return fmt.Errorf("the template's button %d: it needs either a token or a suffix", b.Index)
		case len(b.Token) > maxTemplateTap || len(b.Suffix) > channel.MaxLinkURL:
			return fmt.Errorf("the template's button %d: a token has at most %d bytes, a suffix %d", b.Index, maxTemplateTap, channel.MaxLinkURL)
		}
		seen[b.Index] = true
	}
	return nil
}
