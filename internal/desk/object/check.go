package object

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"parley/internal/channel"
	"parley/internal/ground/fault"
)

// developerName is how a CRM names object types and fields.
var developerName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// rules are what the kinds of fields allow.
type rules struct{ choices, targets, blankAsZero, filterable bool }

var rulesOf = map[Kind]rules{
	Text: {filterable: true}, Number: {blankAsZero: true, filterable: true}, Currency: {blankAsZero: true, filterable: true},
	Percent: {blankAsZero: true, filterable: true}, Boolean: {filterable: true}, Date: {filterable: true}, DateTime: {filterable: true},
	Time: {filterable: true}, Picklist: {choices: true, filterable: true}, MultiPicklist: {choices: true}, Phone: {filterable: true},
	Email: {filterable: true}, URL: {filterable: true}, Geolocation: {}, Reference: {targets: true, filterable: true}, ID: {filterable: true},
}

// Check refuses a definition that records could not be kept by, whose fields Amend has
// checked. The fault names the input field at fault, such as input.messaging.phones.0.field.
func (d *Definition) Check() error {
	if err := checkName("input.name", d.Name); err != nil {
		return err
	}
	if n := len(d.Fields); n > MostFields {
		return fault.Input("input.fields", "An object type has at most %d fields, retired ones included, not %d.", MostFields, n)
	}
	if err := d.checkSize(); err != nil {
		return err
	}
	return d.checkMessaging()
}

func (d *Definition) checkSize() error {
	filterable := 0
	for i := range d.Fields {
		if d.Fields[i].Filterable && !d.Fields[i].Retired {
			filterable++
		}
	}
	if filterable > MostFilterable {
		return fault.Input("input.fields", "At most %d fields of an object type are filterable, not %d.", MostFilterable, filterable)
	}
	encoded, err := json.Marshal(d.Fields)
	if err == nil && len(encoded) > MostBytes {
		err = fault.Input("input.fields", "The fields of an object type take at most %d bytes together, and these take %d. Shorten descriptions or choices.", MostBytes, len(encoded))
	}
	return err
}

func checkName(at, name string) error {
	if len(name) > MostName || !developerName.MatchString(name) {
		return fault.Input(at, "Use 1 to %d letters, digits and underscores, a letter first, as the CRM writes the name.", MostName)
	}
	return nil
}

func (f *Field) check(at string) error {
	if err := checkName(at+".name", f.Name); err != nil {
		return err
	}
	may, known := rulesOf[f.Kind]
	switch {
	case !known:
		return fault.Input(at+".type", "This version knows no fields of type %q. Use one of %s.", f.Kind, joined(Kinds, ", "))
	case f.BlankAsZero != nil && *f.BlankAsZero && !may.blankAsZero:
		return fault.Input(at+".blankAsZero", "Only fields of type NUMBER, CURRENCY and PERCENT can be read as zero, not %s. Leave it out.", f.Kind)
	case f.Currency != "" && (f.Kind != Currency || !IsCurrencyCode(f.Currency)):
		return fault.Input(at+".currencyCode", "Only fields of type CURRENCY have a code: three letters, such as EUR. Correct it, or leave it out.")
	case f.Filterable && !may.filterable:
		return fault.Input(at+".isFilterable", "Records cannot be filtered by a field of type %s. Leave it out.", f.Kind)
	case f.Required && f.Retired:
		return fault.Input(at+".isRequired", "A retired field takes no new values, so that it cannot be required. Leave one of the two out.")
	}
	if err := f.checkChoices(at+".choices", may.choices); err != nil {
		return err
	}
	return f.checkTargets(at+".targets", may.targets)
}

func (f *Field) checkChoices(at string, may bool) error {
	switch n := len(f.Choices); {
	case n > 0 && !may:
		return fault.Input(at, "Only fields of type PICKLIST and MULTI_PICKLIST have choices, not %s. Leave them out.", f.Kind)
	case may && n == 0 && !f.Retired:
		return fault.Input(at, "A field of type %s needs 1 to %d choices.", f.Kind, MostChoices)
	case n > MostChoices:
		return fault.Input(at, "Give at most %d choices, not %d.", MostChoices, n)
	}
	seen := make(map[string]bool, len(f.Choices))
	for i, choice := range f.Choices {
		switch at := fmt.Sprintf("%s.%d", at, i); {
		case seen[choice]:
			return fault.Input(at, "The choice %q is there twice. Remove one.", choice)
		case f.Kind == MultiPicklist && strings.Contains(choice, ";"):
			return fault.Input(at, "The choice %q contains a semicolon, which separates the values of a MULTI_PICKLIST. Use another character.", choice)
		}
		seen[choice] = true
	}
	return nil
}

func (f *Field) checkTargets(at string, may bool) error {
	switch n := len(f.Targets); {
	case n > 0 && !may:
		return fault.Input(at, "Only fields of type REFERENCE have targets, not %s. Leave them out.", f.Kind)
	case may && (n == 0 || n > MostTargets):
		return fault.Input(at, "A field of type REFERENCE names 1 to %d object types as its targets, not %d.", MostTargets, n)
	}
	for i, target := range f.Targets {
		if err := checkName(fmt.Sprintf("%s.%d", at, i), target); err != nil {
			return err
		}
		if slices.IndexFunc(f.Targets, func(t string) bool { return strings.EqualFold(t, target) }) < i {
			return fault.Input(fmt.Sprintf("%s.%d", at, i), "The target %q is there twice. Remove one.", target)
		}
	}
	return nil
}

// checkMessaging checks the messaging configuration, and spells the names in it as the
// fields do.
func (d *Definition) checkMessaging() error {
	m := &d.Messaging
	for _, use := range []struct {
		input string
		name  *string
		kinds []Kind
	}{
		{"name", &m.Name, []Kind{Text}},
		{"owner", &m.Owner, []Kind{Reference}},
		{"country", &m.Country, []Kind{Text, Picklist}},
		{"optedOut", &m.OptedOut, []Kind{Boolean}},
		{"optedIn", &m.OptedIn, []Kind{Boolean}},
	} {
		if *use.name == "" {
			continue
		}
		if err := d.use("input.messaging."+use.input, use.name, use.kinds...); err != nil {
			return err
		}
	}
	if f := d.Field(m.Name); f != nil && f.Sensitive {
		return fault.Input("input.messaging.name", "The field %q is sensitive, and whoever may read records sees their names. Choose another field.", f.Name)
	}
	if n := len(m.Phones); n > MostPhones {
		return fault.Input("input.messaging.phones", "Give at most %d phone fields, not %d.", MostPhones, n)
	}
	for i := range m.Phones {
		if err := d.checkPhone(i); err != nil {
			return err
		}
	}
	return nil
}

func (d *Definition) checkPhone(i int) error {
	at, phone := fmt.Sprintf("input.messaging.phones.%d", i), &d.Messaging.Phones[i]
	if err := d.use(at+".field", &phone.Field, Phone); err != nil {
		return err
	}
	if slices.ContainsFunc(d.Messaging.Phones[:i], func(p PhoneField) bool { return p.Field == phone.Field }) {
		return fault.Input(at+".field", "The field %q is there twice. Remove one.", phone.Field)
	}
	for j, t := range phone.ChannelTypes {
		if !slices.Contains(channel.Types(), t) || slices.Contains(phone.ChannelTypes[:j], t) {
			return fault.Input(fmt.Sprintf("%s.channelTypes.%d", at, j), "Name each type of channel once, and only those that this version knows: %q is not one, or there twice.", t)
		}
	}
	return nil
}

// use checks a field that the messaging configuration names.
func (d *Definition) use(at string, name *string, kinds ...Kind) error {
	f := d.Field(*name)
	switch {
	case f == nil:
		return fault.Input(at, "The object type has no field %q. Add it, or name another.", *name)
	case f.Retired:
		return fault.Input(at, "The field %q is retired. Name another.", f.Name)
	case !slices.Contains(kinds, f.Kind):
		return fault.Input(at, "The field %q has the type %s, and a field of type %s is needed. Name another.", f.Name, f.Kind, joined(kinds, " or "))
	}
	*name = f.Name
	return nil
}

func joined(kinds []Kind, with string) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return strings.Join(names, with)
}
