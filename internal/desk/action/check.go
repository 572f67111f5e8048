package action

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"parley/internal/desk/object"
	"parley/internal/ground/fault"
)

// developerName is how definitions and keys are named.
var developerName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// Check refuses a definition that could not be run. Texts are clean. local lets webhooks
// be called on this machine. The fault names the input field at fault.
func (d *Definition) Check(types Types, local bool) error {
	if len(d.DeveloperName) > object.MostName || !developerName.MatchString(d.DeveloperName) {
		return fault.Input("input.developerName", "Use 1 to %d letters, digits and underscores, a letter first.", object.MostName)
	}
	if !slices.Contains(Kinds, d.Kind) {
		return fault.Input("input.performs", "This version knows no actions of kind %q. Choose another.", d.Kind)
	}
	types = types.WithBeside()
	if err := d.checkTypes(types); err != nil {
		return err
	}
	if err := d.checkParameters(types); err != nil {
		return err
	}
	if err := d.checkMode(types); err != nil {
		return err
	}
	return checks[d.Kind](d, types, local)
}

func (d *Definition) checkTypes(types Types) error {
	if n := len(d.ObjectTypes); n > MostTypes {
		return fault.Input("input.objectTypes", "Map the action to at most %d object types, not %d.", MostTypes, n)
	}
	for i, name := range d.ObjectTypes {
		at := fmt.Sprintf("input.objectTypes.%d", i)
		if !IsRecord(name) || types(name) == nil {
			return fault.Input(at, "There is no object type %q. Create it first, or correct the name.", name)
		}
		if slices.Contains(d.ObjectTypes[:i], name) {
			return fault.Input(at, "The object type %q is there twice. Remove one.", name)
		}
	}
	return nil
}

func (d *Definition) checkMode(types Types) error {
	if d.Mode == Manual {
		if d.Trigger != "" || len(d.Conditions) > 0 {
			return fault.Input("input.trigger", "Agents run a MANUAL action: leave trigger and conditions out, or make it AUTOMATIC.")
		}
		return nil
	}
	if d.Mode != Automatic {
		return fault.Input("input.type", "An action is MANUAL or AUTOMATIC, not %q.", d.Mode)
	}
	if !slices.Contains(Triggers, d.Trigger) {
		return fault.Input("input.trigger", "An AUTOMATIC action needs a trigger that this version knows. Choose one.")
	}
	if d.Kind == OpenURL {
		return fault.Input("input.type", "Nobody is there to open the address of an AUTOMATIC action. Make it MANUAL.")
	}
	if d.Trigger == RecordChanged && len(d.ObjectTypes) == 0 {
		return fault.Input("input.objectTypes", "RECORD_CHANGED needs the object types whose records it watches. Name at least one.")
	}
	if n := len(d.Conditions); n > MostConditions {
		return fault.Input("input.conditions", "Give at most %d conditions, not %d.", MostConditions, n)
	}
	for i := range d.Conditions {
		at := fmt.Sprintf("input.conditions.%d", i)
		if err := d.mapped(at+".object", d.Conditions[i].Object); err != nil {
			return err
		}
		if err := d.Conditions[i].check(at, types); err != nil {
			return err
		}
		for _, p := range d.Conditions[i].Reads(types) {
			if err := d.mapped(at+".value", p.Object); err != nil {
				return err
			}
		}
	}
	return nil
}

// mapped refuses an object type that no conversation of the action can have.
func (d *Definition) mapped(at, objectType string) error {
	if objectType == AnswerObject && d.Trigger != ComponentAnswered {
		return fault.Input(at, "Only an action with the trigger COMPONENT_ANSWERED reads %s. Use that trigger, or another object.", AnswerObject)
	}
	if !IsRecord(objectType) || d.Concerns(objectType) {
		return nil
	}
	return fault.Input(at, "The action is not for records of %q. Map it to that object type, or read from another.", objectType)
}

func (d *Definition) checkParameters(types Types) error {
	if n := len(d.Parameters); n > MostParameters {
		return fault.Input("input.parameters", "Give at most %d parameters, not %d.", MostParameters, n)
	}
	for i := range d.Parameters {
		at, p := fmt.Sprintf("input.parameters.%d", i), &d.Parameters[i]
		if err := d.checkParameter(at, types, p); err != nil {
			return err
		}
		if slices.ContainsFunc(d.Parameters[:i], p.clashes) {
			return fault.Input(at+".key", "The key %q is there twice. Give it once, or once for each object type that FIELD reads.", p.Key)
		}
	}
	return nil
}

// clashes reports whether two parameters cannot both be: of one key, only fields of
// different object types can.
func (p *Parameter) clashes(q Parameter) bool {
	return p.Key == q.Key && (p.Source != Field || q.Source != Field || p.Object == q.Object)
}

func (d *Definition) checkParameter(at string, types Types, p *Parameter) error {
	switch {
	case len(p.Key) > object.MostName || !developerName.MatchString(p.Key):
		return fault.Input(at+".key", "Use 1 to %d letters, digits and underscores, a letter first.", object.MostName)
	case p.Asked && (p.Source != Value || d.Mode == Automatic):
		return fault.Input(at+".isAsked", "Agents are asked for a VALUE of a MANUAL action only. Leave it out.")
	case p.Source != Field && p.Object != "":
		return fault.Input(at+".object", "Only a FIELD is read from an object. Leave it out.")
	case p.Source == Value && p.Value == "" && !p.Asked:
		return fault.Input(at+".value", "Write the value, or ask agents for it with isAsked.")
	}
	switch p.Source {
	case Value, URL:
		return nil
	case Field:
		if types(p.Object) == nil {
			return fault.Input(at+".object", "There is no object type %q. Use one that is defined, or %s.", p.Object, ConversationObject)
		}
		if err := d.mapped(at+".object", p.Object); err != nil {
			return err
		}
		_, err := PathOf(p.Value).check(at+".value", types, p.Object)
		return err
	}
	return fault.Input(at+".type", "This version knows no parameters of type %q. Use FIELD, URL or VALUE.", p.Source)
}

// checks are what each kind asks of its parameters.
var checks = map[Kind]func(d *Definition, types Types, local bool) error{
	CreateRecord: func(d *Definition, types Types, _ bool) error { return d.checkCreate(types) },
	UpdateRecord: func(d *Definition, types Types, _ bool) error { return d.checkUpdate(types) },
	LinkRecord:   func(d *Definition, types Types, _ bool) error { return d.checkLink(types) },
	OpenURL:      func(d *Definition, _ Types, _ bool) error { return d.checkURL() },
	CallWebhook:  func(d *Definition, _ Types, local bool) error { return d.checkWebhook(local) },
	SendTemplate: func(d *Definition, _ Types, _ bool) error { return d.only(Value, TemplateName) },
}

// only refuses parameters beside those of the keys; the first one is needed, with values
// of a source.
func (d *Definition) only(source Source, keys ...string) error {
	for i, p := range d.Parameters {
		if !slices.Contains(keys, p.Key) {
			return fault.Input(fmt.Sprintf("input.parameters.%d.key", i), "%s knows the keys %s, not %q.", d.Kind, strings.Join(keys, ", "), p.Key)
		}
	}
	return d.needs(source, keys[0])
}

func (d *Definition) needs(source Source, key string) error {
	for i, p := range d.Parameters {
		if p.Key == key && p.Source != source {
			return fault.Input(fmt.Sprintf("input.parameters.%d.type", i), "The parameter %s of %s is a %s, not a %s.", key, d.Kind, source, p.Source)
		}
		if p.Key == key {
			return nil
		}
	}
	return fault.Input("input.parameters", "%s needs a parameter with the key %s, a %s.", d.Kind, key, source)
}

func (d *Definition) checkCreate(types Types) error {
	if err := d.needs(Value, ObjectName); err != nil {
		return err
	}
	if p := d.Parameter(LinkConversation, ""); p != nil && (p.Source != Value || p.Asked || p.Value != "true" && p.Value != "false") {
		return fault.Input("input.parameters", "%s is the VALUE true or false.", LinkConversation)
	}
	name := d.Parameter(ObjectName, "")
	to := types(name.Value)
	if name.Asked || to == nil || !IsRecord(to.Name) {
		return fault.Input("input.parameters", "%s is the name of an object type, and %q is none. Create it first, or correct the name.", ObjectName, name.Value)
	}
	return d.checkWrites(to)
}

func (d *Definition) checkUpdate(types Types) error {
	if len(d.ObjectTypes) == 0 {
		return fault.Input("input.objectTypes", "UPDATE_RECORD needs the object types whose records it changes. Name at least one.")
	}
	for _, name := range d.ObjectTypes {
		if err := d.checkWrites(types(name)); err != nil {
			return err
		}
	}
	return nil
}

// checkWrites refuses keys that are no fields of an object type, and values that these do
// not take.
func (d *Definition) checkWrites(to *object.Definition) error {
	writes := d.Writes()
	if len(writes) == 0 {
		return fault.Input("input.parameters", "%s writes nothing: give a parameter for each field, with the field's name as its key.", d.Kind)
	}
	for i, p := range d.Parameters {
		if !slices.Contains(writes, p.Key) {
			continue
		}
		at, f := fmt.Sprintf("input.parameters.%d", i), to.Field(p.Key)
		if f == nil || f.Retired {
			return fault.Input(at+".key", "%s has no field %q that takes values. Add it first, or correct the name.", to.Name, p.Key)
		}
		if p.Source == Field || p.Value == "" {
			continue
		}
		if _, err := f.Parse(p.Value, nil); err != nil {
			return fault.At(at+".value", err)
		}
	}
	return nil
}

func (d *Definition) checkLink(types Types) error {
	if d.Parameter(RecordID, "") != nil {
		return d.only(Value, RecordID)
	}
	if err := d.only(Field, RecordID); err != nil {
		return err
	}
	for i, p := range d.Parameters {
		ends, err := PathOf(p.Value).check("", types, p.Object)
		if err != nil {
			return err
		}
		isReference := func(f *object.Field) bool { return f.Kind == object.Reference }
		if !slices.ContainsFunc(ends, isReference) {
			return fault.Input(fmt.Sprintf("input.parameters.%d.value", i), "%s is no REFERENCE. Name a lookup, whose record the conversation is then of.", p.Value)
		}
	}
	return nil
}
