package action

import (
	"net/url"
	"regexp"
	"strings"

	"parley/internal/channel"
	"parley/internal/ground/fault"
)

// mostURL is how many bytes an address has, values filled in.
const mostURL = 8_000

// place is where the value of a parameter goes in an address: {Key}.
var place = regexp.MustCompile(`\{([A-Za-z][A-Za-z0-9_]*)\}`)

// checkURL refuses an address whose host values could change, and values that it has no
// place for.
func (d *Definition) checkURL() error {
	if err := d.needs(URL, Address); err != nil {
		return err
	}
	text := d.Parameter(Address, "").Value
	u, err := url.Parse(place.ReplaceAllString(text, "x"))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return fault.Input("input.parameters", "%s is an address that begins with https:// or http:// and has no password, such as https://crm.example.com/leads/{LeadId}.", Address)
	}
	start := strings.Index(text, "://") + len("://")
	if end := strings.IndexAny(text[start:], "/?#"); place.MatchString(text[:start]) || place.MatchString(head(text[start:], end)) {
		return fault.Input("input.parameters", "The values of an address go after its host: write the host out.")
	}
	used := map[string]bool{Address: true}
	for _, found := range place.FindAllStringSubmatch(text, -1) {
		if used[found[1]] = true; !contains(d.Keys(), found[1]) {
			return fault.Input("input.parameters", "The address asks for {%s}, and no parameter has that key. Add it, or correct the address.", found[1])
		}
	}
	for _, key := range d.Keys() {
		if !used[key] {
			return fault.Input("input.parameters", "The address has no place for %s. Write {%s} where its value goes, or remove the parameter.", key, key)
		}
	}
	return nil
}

func head(s string, end int) string {
	if end < 0 {
		return s
	}
	return s[:end]
}

func contains(list []string, s string) bool {
	for _, is := range list {
		if is == s {
			return true
		}
	}
	return false
}

// BuildURL fills the values of parameters into the address, so that none of them can
// begin another part of it, or lead out of where it stands in the path.
func (d *Definition) BuildURL(value func(key string) string) (string, error) {
	address := d.Parameter(Address, "").Value
	built := place.ReplaceAllStringFunc(address, func(found string) string {
		return strings.ReplaceAll(url.QueryEscape(value(found[1:len(found)-1])), "+", "%20")
	})
	if len(built) > mostURL {
		return "", fault.Input("input.values", "The address would have %d bytes, and at most %d are opened. Use shorter values.", len(built), mostURL)
	}
	filled := segments(built)
	for i, segment := range segments(address) {
		if step, _ := url.PathUnescape(filled[i]); place.MatchString(segment) && (step == "." || step == "..") {
			return "", fault.Input("input.values", "A value would make %s a part of the address's path, which browsers read as a step to another path. Use another value.", step)
		}
	}
	return built, nil
}

// segments are the parts of an address between slashes, without query and fragment.
func segments(address string) []string {
	if end := strings.IndexAny(address, "?#"); end >= 0 {
		address = address[:end]
	}
	return strings.Split(address, "/")
}

// checkWebhook refuses an address that no webhook is sent to.
func (d *Definition) checkWebhook(local bool) error {
	if err := d.needs(URL, Address); err != nil {
		return err
	}
	return CheckWebhookURL("input.parameters", Address, d.Parameter(Address, "").Value, local)
}

// CheckWebhookURL refuses an address that no webhook is sent to. local lets it be on this
// machine.
func CheckWebhookURL(at, name, text string, local bool) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || len(text) > mostURL || u.Scheme != "https" && (!local || u.Scheme != "http") {
		return fault.Input(at, "%s is an address that begins with https:// and has neither a password nor a fragment.", name)
	}
	if !local && channel.IsNear(u.Hostname()) {
		return fault.Input(at, "The host of %s is not an address of the public internet. Use the name of a public server.", name)
	}
	return nil
}
