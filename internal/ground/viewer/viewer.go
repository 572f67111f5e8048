// Package viewer says who is asking: an agent with permissions, or a named part of the
// system such as a webhook or a job. Every request carries exactly one viewer in its
// context; without one, the data layer denies access.
package viewer

import (
	"context"
	"net"
	"slices"

	"parley/internal/ground/clock"
)

// Permission is a right that an agent holds through their role or a permission
// set. Code asks for permissions, never for roles.
type Permission string

// The permissions.
const (
	ConfigureMessaging     Permission = "ConfigureMessaging"
	MessagingAgent         Permission = "MessagingAgent"
	AgentInitiatedOutbound Permission = "AgentInitiatedOutbound"
	EndMessagingSession    Permission = "EndMessagingSession"
	SendOneToMany          Permission = "SendOneToMany"
	TakeAction             Permission = "AllowToTakeActionOnConversation"
	AssignConversation     Permission = "AssignConversation"
	ViewTeamInbox          Permission = "ViewTeamInbox"
	ManageRecords          Permission = "ManageRecords"
	ViewAllData            Permission = "ViewAllData"
)

// Permissions lists every permission.
var Permissions = []Permission{
	ConfigureMessaging, MessagingAgent, AgentInitiatedOutbound, EndMessagingSession, SendOneToMany,
	TakeAction, AssignConversation, ViewTeamInbox, ManageRecords, ViewAllData,
}

// names are how the graph, messages and the command line call the permissions.
var names = map[Permission]string{
	ConfigureMessaging: "CONFIGURE_MESSAGING", MessagingAgent: "MESSAGING_AGENT", AgentInitiatedOutbound: "AGENT_INITIATED_OUTBOUND",
	EndMessagingSession: "END_MESSAGING_SESSION", SendOneToMany: "SEND_ONE_TO_MANY", TakeAction: "TAKE_ACTION",
	AssignConversation: "ASSIGN_CONVERSATION", ViewTeamInbox: "VIEW_TEAM_INBOX", ManageRecords: "MANAGE_RECORDS", ViewAllData: "VIEW_ALL_DATA",
}

// Name is the permission's name in the graph, in messages and on the command line;
// empty for one that only a newer version knows.
func (p Permission) Name() string { return names[p] }

// PermissionNames are the names of permissions, in the order given.
func PermissionNames(permissions []Permission) []string {
	out := make([]string, len(permissions))
	for i, p := range permissions {
		out[i] = p.Name()
	}
	return out
}

// PermissionNamed returns the permission with a name, false when there is none.
func PermissionNamed(name string) (Permission, bool) {
	for p, n := range names {
		if n == name {
			return p, true
		}
	}
	return "", false
}

// Role is a named default set of permissions.
type Role string

// The roles.
const (
	Standard   Role = "STANDARD"
	Supervisor Role = "SUPERVISOR"
	Admin      Role = "ADMIN"
	// OtherRole is one that a newer version has given, and that this one does not
	// know. It brings no permissions here.
	OtherRole Role = "OTHER"
)

// Known is the role, OtherRole when it is not known.
func (r Role) Known() Role {
	switch r {
	case Standard, Supervisor, Admin:
		return r
	}
	return OtherRole
}

// Defaults returns the permissions that come with the role. Permission sets add
// to them.
func (r Role) Defaults() []Permission {
	switch r {
	case Admin:
		return Permissions
	case Supervisor:
		return []Permission{
			MessagingAgent, AgentInitiatedOutbound, EndMessagingSession, SendOneToMany,
			TakeAction, AssignConversation, ViewTeamInbox,
		}
	case Standard:
		return []Permission{MessagingAgent, AgentInitiatedOutbound, TakeAction}
	}
	return nil
}

// Kind says whether an agent is a person.
type Kind string

// The kinds.
const (
	Person  Kind = "PERSON"
	Service Kind = "SERVICE"
)

// Known is the kind; one that only a newer version knows is no person.
func (k Kind) Known() Kind {
	if k == Person {
		return Person
	}
	return Service
}

// Scope is what an access token lets its bearer do of what its agent may.
type Scope string

// The scopes.
const (
	Read       Scope = "READ"       // queries and subscriptions
	Send       Scope = "SEND"       // work with conversations
	Administer Scope = "ADMINISTER" // set up the organisation
)

// Scopes lists every scope.
var Scopes = []Scope{Read, Send, Administer}

// Viewer is who asks. It is immutable; a change of rights makes a new one.
type Viewer struct {
	// System names the part of the system that acts ("webhook", "lane", "seed").
	// Empty for agents. A system viewer sees everything.
	System string
	// For is the agent whose request a system viewer serves; 0 for none.
	For int64

	AgentID  int64
	Username string
	Licensed bool
	// ValidFrom is when the agent's tokens were last revoked, or the agent signed out; zero
	// for never. It is no right, and Equal leaves it out.
	ValidFrom clock.Time
	// IsService marks a service account: it owns nothing and leaves read states alone.
	IsService bool
	// Scopes narrow what the viewer's token allows; nil for all.
	Scopes []Scope
	// Permissions holds the effective permissions, defaults of the role included.
	Permissions []Permission
	// Channels are the sender IDs the agent owns or shares, ascending.
	Channels []int64
	// Queues are the queues the agent works, ascending.
	Queues []int64
	// Objects are the object types whose records the agent's permission sets let them
	// read, ascending; holders of ManageRecords read all.
	Objects []string
	// Records differs for agents who may do different things with records.
	Records string
}

// Can reports whether the viewer holds p. A system viewer holds everything.
func (v *Viewer) Can(p Permission) bool {
	return v.System != "" || slices.Contains(v.Permissions, p)
}

// Allows reports whether the viewer's token has the scope.
func (v *Viewer) Allows(s Scope) bool { return v.Scopes == nil || slices.Contains(v.Scopes, s) }

// Narrowed is the viewer under a token with scopes.
func (v *Viewer) Narrowed(scopes []Scope) *Viewer {
	narrowed := *v
	narrowed.Scopes = slices.Clone(scopes)
	if narrowed.Scopes == nil {
		narrowed.Scopes = []Scope{}
	}
	return &narrowed
}

// Equal reports whether v and w are the same agent with the same rights.
func (v *Viewer) Equal(w *Viewer) bool {
	return v.System == w.System && v.AgentID == w.AgentID && v.Licensed == w.Licensed &&
		slices.Equal(v.Permissions, w.Permissions) && slices.Equal(v.Channels, w.Channels) && slices.Equal(v.Queues, w.Queues) && v.Records == w.Records
}

// HasChannel reports whether the agent owns or shares the channel.
func (v *Viewer) HasChannel(id int64) bool {
	_, ok := slices.BinarySearch(v.Channels, id)
	return ok
}

// HasQueue reports whether the agent works the queue.
func (v *Viewer) HasQueue(id int64) bool {
	_, ok := slices.BinarySearch(v.Queues, id)
	return ok
}

type key struct{}

// NewContext returns a context that carries v.
func NewContext(ctx context.Context, v *Viewer) context.Context {
	return context.WithValue(ctx, key{}, v)
}

// Following returns a context whose viewer is whom now gives at the moment of asking: what
// outlives a call, as streams do, goes by the rights that hold by then.
func Following(ctx context.Context, now func() *Viewer) context.Context {
	return context.WithValue(ctx, key{}, now)
}

// FromContext returns the viewer of ctx, nil when there is none.
func FromContext(ctx context.Context) *Viewer {
	switch v := ctx.Value(key{}).(type) {
	case *Viewer:
		return v
	case func() *Viewer:
		return v()
	}
	return nil
}

type sourceKey struct{}

// FromAddress returns a context whose request comes from a network address, with or
// without a port. It keeps the pointer.
func FromAddress(ctx context.Context, address *string) context.Context {
	return context.WithValue(ctx, sourceKey{}, address)
}

// Source is the network address that the request of ctx comes from, without its port;
// empty outside of requests.
func Source(ctx context.Context) string {
	address, ok := ctx.Value(sourceKey{}).(*string)
	if !ok {
		return ""
	}
	if host, _, err := net.SplitHostPort(*address); err == nil {
		return host
	}
	return *address
}

// MayRead reports whether there is a viewer.
func (v *Viewer) MayRead() bool { return v != nil }

// AsSystem returns a context in which the named part of the system acts, for the
// agent of ctx when there is one.
func AsSystem(ctx context.Context, name string) context.Context {
	return NewContext(ctx, &Viewer{System: name, For: Caller(ctx)})
}

// Caller is the agent for whom the work under ctx is done, 0 when it is the
// system's own: whoever waits for places that all agents share waits as them.
func Caller(ctx context.Context) int64 {
	v := FromContext(ctx)
	switch {
	case v == nil:
		return 0
	case v.System != "":
		return v.For
	}
	return v.AgentID
}
