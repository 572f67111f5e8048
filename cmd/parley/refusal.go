package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"

	"parley/internal/ground/fault"
)

// refusedError is a fault in the words of the command line.
type refusedError struct {
	field   string // as the graph calls it; empty for none
	message string
}

// Error is the sentence, after the field in words.
func (r *refusedError) Error() string {
	if r.field == "" {
		return r.message
	}
	return strings.ReplaceAll(kebab(r.field), "-", " ") + ": " + r.message
}

// plain is err without what is for programs that call the graph.
func plain(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	field, _, _ := strings.Cut(strings.TrimPrefix(f.Field, "input."), ".")
	return &refusedError{field, f.Message}
}

// otherNames are the flags and arguments of fields that the command line calls otherwise.
var otherNames = map[string][]string{
	"requiredConsent":    {"consent"},
	"isLicensed":         {"licence"},
	"providerAccountId":  {"account"},
	"accountId":          {"account"},
	"agentIds":           {"add", "username"},
	"permissionSetIds":   {"permission-set", "grant"},
	"previousValidHours": {"previous-hours"},
	"id":                 {"username", "channel", "name", "account"},
}

// named has a refusal name the flag or argument of the command that the field came from.
func named(command *kong.Context, err error) error {
	var r *refusedError
	if !errors.As(err, &r) || r.field == "" {
		return err
	}
	node := command.Selected()
	if node == nil {
		return err
	}
	name := kebab(r.field)
	one := strings.TrimSuffix(strings.TrimSuffix(name, "-ids"), "-id")
	for _, name := range append([]string{name, one, strings.TrimSuffix(one, "s")}, otherNames[r.field]...) {
		for _, flag := range node.Flags {
			if flag.Name == name {
				return fmt.Errorf("--%s: %s", name, r.message)
			}
		}
		for _, argument := range node.Positional {
			if argument.Name == name {
				return fmt.Errorf("%s: %s", strings.ToUpper(name), r.message)
			}
		}
	}
	return err
}

var upper = regexp.MustCompile(`[A-Z]+`)

// kebab turns the name of a field into one as of flags.
func kebab(field string) string {
	return upper.ReplaceAllStringFunc(field, func(s string) string { return "-" + strings.ToLower(s) })
}
