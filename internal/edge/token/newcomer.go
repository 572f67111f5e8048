package token

import (
	"fmt"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"parley/internal/ground/fault"
	"parley/internal/ground/viewer"
)

// Arrivals say what becomes of people whom an issuer signs in and Parley does not know
// yet. A claim of theirs is named, or reached by a JSON pointer (RFC 6901) such as
// /realm_access/roles.
type Arrivals struct {
	// Groups is the claim that decides: a text or a list of texts. Required.
	Groups string `json:"groups"`
	// Rules map what the claim holds. Whoever no rule fits is refused. Required.
	Rules []ArrivalRule `json:"rules"`
	// Name, TimeZone and Locale are the claims with the agent's display name, time zone
	// and language. Default name, zoneinfo and locale, as in OpenID Connect.
	Name     string `json:"name"`
	TimeZone string `json:"timeZone"`
	Locale   string `json:"locale"`
	// EverySignIn also refuses agents who exist already when no rule fits them any more.
	EverySignIn bool `json:"everySignIn"`
}

// ArrivalRule is what a value of the claim makes of its holder. The first that fits
// decides role and licence; permission sets come from all that fit.
type ArrivalRule struct {
	// Value is what the claim must be or hold, compared exactly. Required.
	Value string `json:"value"`
	// Role is STANDARD, SUPERVISOR or ADMIN. Default STANDARD.
	Role viewer.Role `json:"role"`
	// IsLicensed is whether the agent may send. Default true.
	IsLicensed *bool `json:"isLicensed"`
	// PermissionSets are names.
	PermissionSets []string `json:"permissionSets"`
}

// Newcomer is what a token makes of somebody whom Parley does not know yet. The texts
// are the issuer's: whoever stores them cleans them.
type Newcomer struct {
	Name, TimeZone, Locale string
	Role                   viewer.Role
	IsLicensed             bool
	PermissionSets         []string
}

// Bounds of arrivals.
const (
	mostRules     = 100
	mostRuleSets  = 20
	mostValue     = 500 // bytes
	mostClaimName = 200
	mostIssuer    = 200 // where it is the actor of audit entries
	mostUnseen    = 3650
)

// checkUse fills in what was left out of the parts that write: arrivals, logout and
// unseen agents.
func (i *Issuer) checkUse() error {
	switch {
	case i.UnseenDays < 0 || i.UnseenDays > mostUnseen:
		return fmt.Errorf("unseenDays may be 1 to %d; leave it out for never", mostUnseen)
	case len(i.Issuer) > mostIssuer && (i.Agents != nil || i.LogoutAudience != ""):
		return fmt.Errorf("with agents or logoutAudience, the issuer may have at most %d bytes", mostIssuer)
	case i.Agents == nil:
		return nil
	}
	return i.Agents.check()
}

func (a *Arrivals) check() error {
	for claim, standard := range map[*string]string{&a.Name: "name", &a.TimeZone: "zoneinfo", &a.Locale: "locale"} {
		if *claim == "" {
			*claim = standard
		}
	}
	for _, claim := range []string{a.Groups, a.Name, a.TimeZone, a.Locale} {
		if claim == "" || len(claim) > mostClaimName {
			return fmt.Errorf("agents: groups is required, and a claim's name may have at most %d bytes", mostClaimName)
		}
	}
	if len(a.Rules) == 0 || len(a.Rules) > mostRules {
		return fmt.Errorf("agents: give 1 to %d rules", mostRules)
	}
	a.Rules = slices.Clone(a.Rules)
	for n := range a.Rules {
		if err := a.Rules[n].check(); err != nil {
			return fmt.Errorf("agents: rule %d: %w", n+1, err)
		}
	}
	return nil
}

func (r *ArrivalRule) check() error {
	if r.Role == "" {
		r.Role = viewer.Standard
	}
	switch {
	case r.Value == "" || len(r.Value) > mostValue:
		return fmt.Errorf("value is required, of at most %d bytes", mostValue)
	case r.Role.Known() == viewer.OtherRole:
		return fmt.Errorf("there is no role %q; use %s, %s or %s", r.Role, viewer.Standard, viewer.Supervisor, viewer.Admin)
	case len(r.PermissionSets) > mostRuleSets || slices.Contains(r.PermissionSets, ""):
		return fmt.Errorf("give at most %d permission sets, by name", mostRuleSets)
	}
	return nil
}

// newcomer applies the rules; nil when none fits.
func (a *Arrivals) newcomer(claims jwt.MapClaims) *Newcomer {
	held := texts(claimAt(claims, a.Groups))
	var n *Newcomer
	for _, rule := range a.Rules {
		if !slices.Contains(held, rule.Value) {
			continue
		}
		if n == nil {
			n = &Newcomer{
				Name: textAt(claims, a.Name), TimeZone: textAt(claims, a.TimeZone), Locale: textAt(claims, a.Locale),
				Role: rule.Role, IsLicensed: rule.IsLicensed == nil || *rule.IsLicensed,
			}
		}
		n.PermissionSets = append(n.PermissionSets, rule.PermissionSets...)
	}
	if n != nil {
		slices.Sort(n.PermissionSets)
		n.PermissionSets = slices.Compact(n.PermissionSets)
	}
	return n
}

// pointerEscapes are those of RFC 6901, 4.
var pointerEscapes = strings.NewReplacer("~1", "/", "~0", "~")

// claimAt is a claim by its name or JSON pointer; nil when there is none.
func claimAt(claims jwt.MapClaims, name string) any {
	if !strings.HasPrefix(name, "/") {
		return claims[name]
	}
	var at any = map[string]any(claims)
	for _, step := range strings.Split(name[1:], "/") {
		object, _ := at.(map[string]any)
		at = object[pointerEscapes.Replace(step)]
	}
	return at
}

func textAt(claims jwt.MapClaims, name string) string {
	text, _ := claimAt(claims, name).(string)
	return text
}

// texts are the texts of a claim that is one or a list of them; what else is in the list
// says nothing.
func texts(claim any) (out []string) {
	switch value := claim.(type) {
	case string:
		return []string{value}
	case []any:
		for _, v := range value {
			if text, is := v.(string); is {
				out = append(out, text)
			}
		}
	}
	return out
}

func errUnmapped() error {
	return fault.New(fault.Unauthenticated, "No rule of the organisation fits what the issuer says about this person. Ask an administrator.")
}
