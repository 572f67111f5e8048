package seed

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"parley/ent"
	"parley/internal/channel"
	"parley/internal/desk/directory"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Larger sets get teams besides the demo's four people: teamSize agents and one
// sender ID for every perTeam conversations. Every third sender ID is one agent's
// alone, every fourth has a queue that its team works, and the first agent of
// every fifth team is a supervisor.
const (
	perTeam   = 2500
	teamSize  = 6
	mostTeams = 75
)

func teamsFor(conversations int) int { return min(conversations/perTeam, mostTeams) }

func teamAddress(team int) string { return fmt.Sprintf("+12025550%03d", 104+team) }

func teamName(team int) string {
	name := teamNames[team%len(teamNames)]
	if n := team / len(teamNames); n > 0 {
		return fmt.Sprintf("%s %d", name, n+1)
	}
	return name
}

// agentName names agent n of all teams: every n another pair.
func agentName(n int) string {
	f := n % len(firstNames)
	return firstNames[f] + " " + lastNames[(7*f+n/len(firstNames))%len(lastNames)]
}

// ensureTeams adds the teams that are missing, in one change of the directory;
// none when they are there from an earlier run.
func ensureTeams(ctx context.Context, d *directory.Directory, teams int) error {
	account := d.Account("demo")
	if account == nil {
		return fmt.Errorf("seed: the provider account %q is missing; seed into a database that parley seed or --demo began", "demo")
	}
	var missing []int
	for team := range teams {
		if d.ChannelAt(account.ID, teamAddress(team)) == nil {
			missing = append(missing, team)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return d.Change(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, team := range missing {
			if err := addTeam(ctx, tx, account.ID, team); err != nil {
				return fmt.Errorf("seed: team %s: %w", teamName(team), err)
			}
		}
		return nil
	})
}

func addTeam(ctx context.Context, tx *store.Tx, account int64, team int) error {
	agents, err := addAgents(ctx, tx, team)
	if err != nil {
		return err
	}
	create := tx.Ent.Channel.Create().SetAccountID(account).SetType(channel.SMSLongCode).SetName(teamName(team)).
		SetAddress(teamAddress(team)).SetCountry("US").SetCreatedAt(tx.Now)
	if team%3 == 2 {
		create.AddMembers(agents[0])
	} else {
		create.AddMembers(agents...)
	}
	if team%4 == 0 {
		queue, err := tx.Ent.Queue.Create().SetName(teamName(team) + " queue").AddMembers(agents...).Save(ctx)
		if err != nil {
			return err
		}
		create.SetQueue(queue)
	}
	return create.Exec(ctx)
}

func addAgents(ctx context.Context, tx *store.Tx, team int) ([]*ent.Agent, error) {
	creates := make([]*ent.AgentCreate, teamSize)
	for i := range creates {
		name, role := agentName(team*teamSize+i), viewer.Standard
		if i == 0 && team%5 == 0 {
			role = viewer.Supervisor
		}
		creates[i] = tx.Ent.Agent.Create().SetUsername(strings.ToLower(strings.ReplaceAll(name, " ", "."))).
			SetName(name).SetRole(role).SetCreatedAt(tx.Now)
	}
	return tx.Ent.Agent.CreateBulk(creates...).Save(ctx)
}

// line is a sender ID with those who answer on it.
type line struct {
	channel  *directory.Channel
	handlers []int64
}

// lineup is the sender IDs of a set.
type lineup struct{ demo, teams []*line }

// demoLines are the demo's sender IDs; one that stands twice gets twice as much.
var demoLines = []string{"+12025550100", "+12025550100", "+12025550101", "+12025550102", "+12025550103"}

func newLineup(d *directory.Directory, teams int) (*lineup, error) {
	l := &lineup{}
	for _, address := range demoLines {
		found, err := lineAt(d, address)
		if err != nil {
			return nil, err
		}
		l.demo = append(l.demo, found)
	}
	for team := range teams {
		found, err := lineAt(d, teamAddress(team))
		if err != nil {
			return nil, err
		}
		l.teams = append(l.teams, found)
	}
	return l, nil
}

func lineAt(d *directory.Directory, address string) (*line, error) {
	for _, c := range d.Channels() {
		if c.Address == address {
			return newLine(d, c)
		}
	}
	return nil, fmt.Errorf("seed: the sender ID %s is missing; seed into a database that parley seed or --demo began", address)
}

// newLine finds who answers: the members and whoever works the queue, by name.
func newLine(d *directory.Directory, c *directory.Channel) (*line, error) {
	l := &line{channel: c}
	for _, a := range d.Agents() {
		if !a.IsActive {
			continue
		}
		v, err := d.Viewer(a.Username)
		if err != nil {
			return nil, err
		}
		if v.HasChannel(c.Key) || c.Queue != 0 && slices.Contains(v.Queues, c.Queue) {
			l.handlers = append(l.handlers, a.Key)
		}
	}
	if len(l.handlers) == 0 {
		return nil, fmt.Errorf("seed: nobody answers on the sender ID %s; give it a member", c.Name)
	}
	return l, nil
}

// demoShare is what the demo's sender IDs get of a set with teams, in per cent.
const demoShare = 15

func (l *lineup) pick(r *rand.Rand) *line {
	if len(l.teams) == 0 || r.IntN(100) < demoShare {
		return draw(r, l.demo)
	}
	return draw(r, l.teams)
}
