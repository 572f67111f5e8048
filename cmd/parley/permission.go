package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"parley/internal/desk/staff"
	"parley/internal/ground/viewer"
)

// permissionCmd manages permission sets, beside running servers or without any.
type permissionCmd struct {
	List listSetsCmd `cmd:"" help:"List all permission sets and who has them."`
	Add  addSetCmd   `cmd:"" help:"Create a permission set. Give it to agents with parley agent set USERNAME --grant NAME."`
	Set  setSetCmd   `cmd:"" help:"Rename a permission set, or replace its permissions for all agents who have it."`
}

type listSetsCmd struct{ asJSON }

// Run implements the command.
func (l *listSetsCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		sets, err := d.Schema.Staff.PermissionSets(ctx)
		if err != nil {
			return err
		}
		lines := make([]setLine, len(sets))
		for i, set := range sets {
			lines[i] = lineOf(set)
		}
		if l.JSON {
			return printJSON(out, lines)
		}
		if len(lines) > 0 {
			table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "NAME\tPERMISSIONS\tAGENTS")
			for _, s := range lines {
				fmt.Fprintf(table, "%s\t%s\t%s\n", s.Name, strings.Join(s.Permissions, ", "), strings.Join(s.Agents, ", "))
			}
			return table.Flush()
		}
		fmt.Fprintf(out, "There are no permission sets yet. Create one: parley permission add NAME --permission PERMISSION\nThe permissions are %s.\n",
			strings.Join(viewer.PermissionNames(viewer.Permissions), ", "))
		return nil
	})
}

type addSetCmd struct {
	asJSON
	Name       string   `arg:"" help:"Name of the permission set."`
	Permission []string `placeholder:"PERMISSION" sep:"none" help:"Permission in the set, such as ASSIGN_CONVERSATION; may be repeated."`
}

// Run implements the command.
func (a *addSetCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		set, err := d.Schema.Staff.CreatePermissionSet(ctx, staff.CreatePermissionSetInput{
			Name: a.Name, Permissions: permissionsNamed(a.Permission), IdempotencyKey: rand.Text(),
		})
		if err != nil {
			return err
		}
		return saySet(out, a.JSON, set)
	})
}

type setSetCmd struct {
	asJSON
	Set           string   `arg:"" name:"name" help:"The permission set."`
	NewName       *string  `name:"name" help:"Its new name."`
	Permission    []string `placeholder:"PERMISSION" sep:"none" xor:"permissions" help:"Permission in the set from now on, in place of those it has; may be repeated."`
	NoPermissions bool     `xor:"permissions" help:"Leave the set without permissions."`
}

// Run implements the command.
func (s *setSetCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	permissions := permissionsNamed(s.Permission)
	if s.NoPermissions {
		permissions = []viewer.Permission{}
	}
	if s.NewName == nil && permissions == nil {
		return errors.New("nothing to change: give --name, --permission or --no-permissions")
	}
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		ids, err := d.setIDs(ctx, []string{s.Set})
		if err != nil {
			return err
		}
		set, err := d.Schema.Staff.UpdatePermissionSet(ctx, staff.UpdatePermissionSetInput{ID: ids[0], Name: s.NewName, Permissions: permissions})
		if err != nil {
			return err
		}
		return saySet(out, s.JSON, set)
	})
}

// permissionsNamed are the permissions with these names, in any case; the use case
// refuses what is none. It is nil for no names.
func permissionsNamed(names []string) (permissions []viewer.Permission) {
	for _, name := range names {
		p, found := viewer.PermissionNamed(strings.ToUpper(name))
		if !found {
			p = viewer.Permission(name)
		}
		permissions = append(permissions, p)
	}
	return permissions
}

// setLine is a permission set as it is printed.
type setLine struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Permissions []string `json:"permissions"`
	Agents      []string `json:"agents"` // usernames
}

func lineOf(set *staff.PermissionSet) setLine {
	line := setLine{set.ID(), set.Name, viewer.PermissionNames(set.Permissions), []string{}}
	for _, a := range set.Agents() {
		line.Agents = append(line.Agents, a.Username)
	}
	return line
}

// saySet prints a permission set as it is after a change.
func saySet(out io.Writer, asJSON bool, set *staff.PermissionSet) error {
	line := lineOf(set)
	if asJSON {
		return printJSON(out, line)
	}
	list := func(names []string) string {
		if len(names) == 0 {
			return "none"
		}
		return strings.Join(names, ", ")
	}
	fmt.Fprintf(out, "%s. Permissions: %s. Agents: %s.\n", line.Name, list(line.Permissions), list(line.Agents))
	return nil
}
