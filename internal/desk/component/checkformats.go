package component

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"parley/internal/channel"
	"parley/internal/ground/fault"
)

func (d *Design) checkFormats(kind Kind) error {
	for i := range d.Formats {
		at, f := fmt.Sprintf("input.design.formats.%d", i), &d.Formats[i]
		allowed, ok := formatsOf(kind)[f.Format]
		switch {
		case !ok:
			return fault.Input(at+".format", "A component of kind %s has no format %s.", kind, f.Format)
		case slices.ContainsFunc(d.Formats[:i], func(other Format) bool { return other.Format == f.Format }):
			return fault.Input(at+".format", "The format %s is there twice. Leave one out.", f.Format)
		case f.Format == channel.PlainText && i < len(d.Formats)-1:
			return fault.Input(at+".format", "TEXT is the last format, because it always fits. Move it to the end.")
		case f.Popup && !slices.Contains(allowed.takes, "popup"):
			return fault.Input(at+".isPopup", "Only a WEB_PAGE can be a popup. Leave it out.")
		case f.Template != nil && f.Format != channel.RegisteredTemplate:
			return fault.Input(at+".template", "Only a REGISTERED_TEMPLATE has a template. Leave it out.")
		case i == len(d.Formats)-1 && f.Format != channel.PlainText:
			return fault.Input("input.design.formats", "A REGISTERED_TEMPLATE alone says nothing to lists and searches. Add TEXT as the last format.")
		}
		for _, err := range []error{f.Template.check(at + ".template"), allowed.check(at, f), f.checkQuery(at+".parameters", allowed)} {
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (p properties) check(at string, f *Format) error {
	for name, source := range f.properties() {
		switch {
		case source != "" && !slices.Contains(p.takes, name) && !strings.HasPrefix(name, placeholders) && !strings.HasPrefix(name, parameters):
			return fault.Input(at+"."+name, "The format %s has no %s. Leave it out.", f.Format, name)
		case utf8.RuneCountInString(source) > MostTemplate:
			return fault.Input(at+"."+name, "Use at most %d characters, not %d.", MostTemplate, utf8.RuneCountInString(source))
		}
	}
	for _, name := range p.needs {
		if f.properties()[name] == "" {
			return fault.Input(at+"."+name, "The format %s needs a %s.", f.Format, name)
		}
	}
	if f.ImageURL != "" && f.ImageAlt == "" {
		return fault.Input(at+".imageAlt", "Say what the image shows, for those who do not see it.")
	}
	return nil
}

// checkQuery refuses what no address can be given as its query.
func (f *Format) checkQuery(at string, of properties) error {
	switch n := len(f.Query); {
	case n > 0 && !slices.Contains(of.takes, "url"):
		return fault.Input(at, "The format %s has no address. Leave its parameters out.", f.Format)
	case n > MostURLParameters:
		return fault.Input(at, "Give at most %d, not %d.", MostURLParameters, n)
	}
	for i, q := range f.Query {
		at := fmt.Sprintf("%s.%d", at, i)
		switch n := utf8.RuneCountInString(q.Name); {
		case n < 1 || n > MostName:
			return fault.Input(at+".name", "Use 1 to %d characters, not %d.", MostName, n)
		case q.Value == "":
			return fault.Input(at+".value", "Give a text.")
		}
	}
	return nil
}

// placeholderName is what a platform calls a placeholder.
var placeholderName = regexp.MustCompile(`^[a-z0-9_]+$`)

func checkPlaceholder(at, name string) error {
	if len(name) > MostName || !placeholderName.MatchString(name) {
		return fault.Input(at, "Use 1 to %d of a-z, 0-9 and underscore, as it is registered.", MostName)
	}
	return nil
}

func (t *Template) check(at string) error {
	if t == nil {
		return nil
	}
	if !strings.Contains(t.Name+t.Language, "{!") {
		if of := (&channel.Template{Name: t.Name, Language: t.Language}); !of.IsNamed() {
			return fault.Input(at, "A registered message has a name of 1 to 512 of a-z, 0-9 and underscore, and a language such as en or en_US.")
		}
	}
	if n := len(t.Body); n > MostPlaceholders {
		return fault.Input(at+".placeholders", "Give at most %d, not %d.", MostPlaceholders, n)
	}
	for i, p := range t.Body {
		at := fmt.Sprintf("%s.placeholders.%d", at, i)
		switch {
		case p.Text == "":
			return fault.Input(at+".text", "Give a text.")
		case (p.Name == "") != (t.Body[0].Name == ""):
			return fault.Input(at+".name", "Either each placeholder has a name, or none has.")
		}
		if p.Name == "" {
			continue
		}
		if err := checkPlaceholder(at+".name", p.Name); err != nil {
			return err
		}
		if slices.ContainsFunc(t.Body[:i], func(other Placeholder) bool { return other.Name == p.Name }) {
			return fault.Input(at+".name", "The placeholder %q is there twice. Leave one out.", p.Name)
		}
	}
	return t.checkHeader(at + ".headerName")
}

// checkHeader refuses a name of the header's placeholder that does not go with the others.
func (t *Template) checkHeader(at string) error {
	switch {
	case t.HeaderName != "" && t.Header == "":
		return fault.Input(at, "There is nothing for a placeholder in the header. Leave the name out.")
	case t.HeaderName != "":
		if err := checkPlaceholder(at, t.HeaderName); err != nil {
			return err
		}
	}
	if t.Header != "" && len(t.Body) > 0 && (t.HeaderName == "") != (t.Body[0].Name == "") {
		return fault.Input(at, "Either each placeholder has a name, that of the header too, or none has.")
	}
	return nil
}
