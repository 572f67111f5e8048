package component

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"parley/internal/channel"
	"parley/internal/desk/formula"
	"parley/internal/ground/fault"
)

var name = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// CheckName refuses what is no name of a component, a constant, a parameter or a list
// template for programs.
func CheckName(at, text string) error {
	if len(text) > MostName || !name.MatchString(text) {
		return fault.Input(at, "Use 1 to %d letters, digits and underscores, a letter first.", MostName)
	}
	return nil
}

// Check refuses a design that no component of the kind can have, and adds TEXT where it is
// missing. The fault names the field of the input.
func (d *Design) Check(kind Kind, types Types) error {
	for _, list := range []struct {
		field     string
		n, at, to int
	}{
		{"constants", len(d.Constants), 0, MostConstants},
		{"parameters", len(d.Parameters), 0, MostParameters},
		{"listTemplates", len(d.ListTemplates), 0, MostTemplates},
		{"formats", len(d.Formats), 1, MostFormats},
		{"translations", len(d.Translations), 0, MostTranslations},
	} {
		if list.n < list.at || list.n > list.to {
			return fault.Input("input.design."+list.field, "Give %d to %d, not %d.", list.at, list.to, list.n)
		}
	}
	d.complete(kind)
	for _, check := range []func() error{
		d.checkConstants, func() error { return d.checkParameters(types) }, d.checkTranslations,
		func() error { return d.checkOptions(kind, types) }, d.checkLists, func() error { return d.checkFormats(kind) }, d.checkSize,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	compiled, err := d.Compile(kind, types)
	if err == nil && len(compiled.Paths()) > MostPaths {
		err = fault.Input("input.design", "The texts read %d fields of parameters, and at most %d are allowed. Use fewer.", len(compiled.Paths()), MostPaths)
	}
	return err
}

// Clean makes every text fit for storage.
func (d *Design) Clean() {
	for i := range d.Constants {
		c := &d.Constants[i]
		cleanAll(&c.Text, &c.Alt)
		cleanItems(c.Items)
	}
	for i := range d.ListTemplates {
		cleanAll(&d.ListTemplates[i].Template)
	}
	for i := range d.Formats {
		f := &d.Formats[i]
		cleanAll(&f.Text, &f.Title, &f.URL, &f.ImageURL, &f.ImageAlt, &f.Label)
		for j := range f.Query {
			cleanAll(&f.Query[j].Name, &f.Query[j].Value)
		}
		if t := f.Template; t != nil {
			cleanAll(&t.Name, &t.Language, &t.Header, &t.Suffix)
			for j := range t.Body {
				cleanAll(&t.Body[j].Text)
			}
		}
	}
	for i := range d.Translations {
		for j := range d.Translations[i].Constants {
			t := &d.Translations[i].Constants[j]
			cleanAll(&t.Text, &t.Alt)
			cleanItems(t.Items)
		}
	}
}

func cleanAll(texts ...*string) {
	for _, text := range texts {
		*text = channel.CleanText(*text)
	}
}

func cleanItems(items []Item) {
	for i := range items {
		cleanAll(&items[i].Name, &items[i].Subtitle, &items[i].ImageURL, &items[i].ImageAlt)
	}
}

func (d *Design) checkSize() error {
	encoded, err := json.Marshal(d)
	if err == nil && len(encoded) > MostBytes {
		err = fault.Input("input.design", "The component takes %d bytes, and at most %d are allowed. Shorten its texts.", len(encoded), MostBytes)
	}
	return err
}

func (d *Design) checkConstants() error {
	for i := range d.Constants {
		at, c := fmt.Sprintf("input.design.constants.%d", i), &d.Constants[i]
		if err := CheckName(at+".name", c.Name); err != nil {
			return err
		}
		if d.Constant(c.Name) != c {
			return fault.Input(at+".name", "The constant %q is there twice, whatever the case of its letters. Choose another name.", c.Name)
		}
		if err := c.check(at); err != nil {
			return err
		}
	}
	return nil
}

func (c *Constant) check(at string) error {
	if err := c.checkImage(at); err != nil {
		return err
	}
	switch {
	case c.Type.Known() == OtherConstant:
		return fault.Input(at+".type", "There is no type %q. Use TEXT, URL, IMAGE or LIST.", c.Type)
	case c.Type != ListConstant && len(c.Items) > 0:
		return fault.Input(at+".items", "Only a LIST has items. Leave them out.")
	case c.Type == ListConstant && c.Text != "":
		return fault.Input(at+".text", "A LIST has items and no text. Leave it out.")
	case c.Type == ListConstant:
		return checkItems(at+".items", c.Items)
	case c.ImageID != nil:
		return bounded(at, map[string]string{"alt": c.Alt}, map[string]int{"alt": MostTitle})
	case c.Type == URLConstant || c.Type == ImageConstant:
		if err := CheckURL(at+".text", c.Text); err != nil {
			return err
		}
	}
	if c.Text == "" {
		return fault.Input(at+".text", "Give a text.")
	}
	return bounded(at, map[string]string{"text": c.Text, "alt": c.Alt}, map[string]int{"text": MostText, "alt": MostTitle})
}

// checkImage refuses what only an image has, and an image without what it needs.
func (c *Constant) checkImage(at string) error {
	switch is := c.Type == ImageConstant; {
	case !is && c.Alt != "":
		return fault.Input(at+".alt", "Only an IMAGE has an alternative text. Leave it out.")
	case !is && c.ImageID != nil:
		return fault.Input(at+".imageId", "Only an IMAGE is in the file store. Leave it out.")
	case c.ImageID != nil && c.Text != "":
		return fault.Input(at+".imageId", "An IMAGE is in the file store or has an address. Leave one out.")
	case is && c.Alt == "":
		return fault.Input(at+".alt", "Say what the image shows, for those who do not see it.")
	}
	return nil
}

// CheckURL refuses what is no address of the web that a customer can open.
func CheckURL(at, address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || len(address) > MostURL || strings.ContainsAny(address, " \t\r\n") {
		return fault.Input(at, "Give an address of up to %d bytes that begins with https:// or http://, without a user name.", MostURL)
	}
	return nil
}

func checkItems(at string, items []Item) error {
	if n := len(items); n < 1 || n > MostItems {
		return fault.Input(at, "A list has 1 to %d items, not %d.", MostItems, n)
	}
	for i, item := range items {
		at := fmt.Sprintf("%s.%d", at, i)
		if item.Name == "" {
			return fault.Input(at+".name", "Give a text.")
		}
		if slices.ContainsFunc(items[:i], func(other Item) bool { return strings.EqualFold(other.Name, item.Name) }) {
			return fault.Input(at+".name", "%q is there twice, so that nobody could tell the answers apart. Choose another text.", item.Name)
		}
		if err := item.checkImage(at); err != nil {
			return err
		}
		texts := map[string]string{"name": item.Name, "subtitle": item.Subtitle, "imageAlt": item.ImageAlt}
		if err := bounded(at, texts, map[string]int{"name": MostTitle, "subtitle": MostTitle, "imageAlt": MostTitle}); err != nil {
			return err
		}
	}
	return nil
}

func (i *Item) checkImage(at string) error {
	switch {
	case i.ImageURL == "" && i.ImageID == nil:
		return nil
	case i.ImageURL != "" && i.ImageID != nil:
		return fault.Input(at+".imageId", "A picture is in the file store or has an address. Leave one out.")
	case i.ImageAlt == "":
		return fault.Input(at+".imageAlt", "Say what the image shows, for those who do not see it.")
	case i.ImageID != nil:
		return nil
	}
	return CheckURL(at+".imageUrl", i.ImageURL)
}

// bounded refuses texts of more characters than allowed.
func bounded(at string, texts map[string]string, most map[string]int) error {
	for name, most := range most {
		if n := utf8.RuneCountInString(texts[name]); n > most {
			return fault.Input(at+"."+name, "Use at most %d characters, not %d.", most, n)
		}
	}
	return nil
}

// given are the types that parameters can have.
var given = []formula.Type{
	formula.Text, formula.Number, formula.Currency, formula.Percent, formula.Boolean, formula.Date, formula.DateTime, formula.Time,
	formula.Record, formula.List,
}

func (d *Design) checkParameters(types Types) error {
	for i := range d.Parameters {
		at, p := fmt.Sprintf("input.design.parameters.%d", i), &d.Parameters[i]
		if err := CheckName(at+".name", p.Name); err != nil {
			return err
		}
		of := p.Type == formula.Record || p.Type == formula.List
		switch {
		case d.Parameter(p.Name) != p:
			return fault.Input(at+".name", "The parameter %q is there twice, whatever the case of its letters. Choose another name.", p.Name)
		case !slices.Contains(given, p.Type):
			return fault.Input(at+".type", "A parameter cannot be a %s. Use TEXT, NUMBER, CURRENCY, PERCENT, BOOLEAN, DATE, DATETIME, TIME, RECORD or LIST.", p.Type)
		case !of && p.ObjectType != "":
			return fault.Input(at+".objectType", "Only a RECORD and a LIST have an object type. Leave it out.")
		case of && types(p.ObjectType) == nil:
			return noObjectType(at, p.ObjectType)
		}
	}
	return nil
}

func noObjectType(at, name string) error {
	return fault.Input(at+".objectType", "There is no object type %q. Create it first, or correct the name.", name)
}

func (d *Design) checkTranslations() error {
	for i := range d.Translations {
		at, t := fmt.Sprintf("input.design.translations.%d", i), &d.Translations[i]
		if slices.ContainsFunc(d.Translations[:i], func(other Translation) bool { return strings.EqualFold(other.Locale, t.Locale) }) {
			return fault.Input(at+".locale", "The language %q is there twice. Put its texts together.", t.Locale)
		}
		if n := len(t.Constants); n == 0 || n > MostConstants {
			return fault.Input(at+".constants", "Give 1 to %d, not %d.", MostConstants, n)
		}
		for j, text := range t.Constants {
			if err := d.checkTranslated(fmt.Sprintf("%s.constants.%d", at, j), text); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *Design) checkTranslated(at string, t Translated) error {
	c := d.Constant(t.Name)
	if c == nil {
		return fault.Input(at+".name", "There is no constant %q. Correct the name.", t.Name)
	}
	if c.Type == ListConstant && len(t.Items) != len(c.Items) {
		return fault.Input(at+".items", "%s has %d items, and a translation has as many, in the same order, not %d.", c.Name, len(c.Items), len(t.Items))
	}
	in := t.of(*c)
	in.Items = t.Items
	return in.check(at)
}

func (d *Design) checkLists() error {
	for i := range d.ListTemplates {
		at, t := fmt.Sprintf("input.design.listTemplates.%d", i), &d.ListTemplates[i]
		if err := CheckName(at+".name", t.Name); err != nil {
			return err
		}
		if slices.ContainsFunc(d.ListTemplates[:i], func(other ListTemplate) bool { return strings.EqualFold(other.Name, t.Name) }) {
			return fault.Input(at+".name", "The list template %q is there twice, whatever the case of its letters. Choose another name.", t.Name)
		}
		if strings.EqualFold(t.List, OptionsList) && d.Options != nil {
			continue
		}
		if c := d.constantAt(t.List); c == nil || c.Type != ListConstant {
			return fault.Input(at+".list", "There is no list %q. Use $Options in a question, or a constant of type LIST, such as $Constants.Topics.", t.List)
		}
	}
	return nil
}

// constantAt is the constant that a path such as $Constants.Topics names.
func (d *Design) constantAt(path string) *Constant {
	if len(path) < len(constantsPrefix) || !strings.EqualFold(path[:len(constantsPrefix)], constantsPrefix) {
		return nil
	}
	return d.Constant(path[len(constantsPrefix):])
}
