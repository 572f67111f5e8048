package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"parley/internal/desk/object"
	"parley/internal/desk/staff"
	"parley/internal/ground/viewer"
)

// permissionCmd manages permission sets, beside running servers or without any.
type permissionCmd struct {
	List listSetsCmd `cmd:"" help:"List all permission sets and who has them."`
	Add  addSetCmd   `cmd:"" help:"Create a permission set. Give it to agents with parley agent set USERNAME --grant NAME."`
	Set  setSetCmd   `cmd:"" help:"Rename a permission set, or replace its permissions for all agents who have it."`

	Remove removeSetCmd `cmd:"" help:"Delete a permission set that nobody has."`
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
	recordRights
}

// recordRights is the flag that gives rights on records of the CRM.
type recordRights struct {
	RecordRight []string `placeholder:"OBJECT[.FIELD]=ACCESS" sep:"none" help:"NONE, READ or WRITE on records of an object type, such as Lead=READ, or on one of its fields, such as Lead.Salary=NONE; may be repeated."`
}

// rights are what the flag gives; nil for nothing.
func (r *recordRights) rights() (rights []object.Right, err error) {
	fields := map[string][]object.FieldRight{}
	for _, said := range r.RecordRight {
		what, access, given := strings.Cut(said, "=")
		name, field, ofField := strings.Cut(what, ".")
		a := object.Access(strings.ToUpper(access))
		switch {
		case !given || a != object.None && a != object.Read && a != object.Write:
			return nil, fmt.Errorf("--record-right: %q gives nothing; write it like Lead=READ or Lead.Salary=NONE", said)
		case ofField:
			key := strings.ToLower(name)
			fields[key] = append(fields[key], object.FieldRight{Field: field, Access: a})
		default:
			rights = append(rights, object.Right{Object: name, Access: a})
		}
	}
	for i := range rights {
		key := strings.ToLower(rights[i].Object)
		rights[i].Fields = fields[key]
		delete(fields, key)
	}
	for name := range fields {
		return nil, fmt.Errorf("--record-right: give %s a right as a whole too, such as %s=READ", name, name)
	}
	return rights, nil
}

// Run implements the command.
func (a *addSetCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	rights, err := a.rights()
	if err != nil {
		return err
	}
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		set, err := d.Schema.Staff.CreatePermissionSet(ctx, staff.CreatePermissionSetInput{
			Name: a.Name, Permissions: permissionsNamed(a.Permission), RecordRights: rights, IdempotencyKey: rand.Text(),
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
	recordRights
	NoRecordRights bool `help:"Leave the set without rights on records."`
}

// Run implements the command.
func (s *setSetCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	permissions := permissionsNamed(s.Permission)
	if s.NoPermissions {
		permissions = []viewer.Permission{}
	}
	rights, err := s.rights()
	if err != nil {
		return err
	}
	if s.NoRecordRights {
		rights = []object.Right{}
	}
	if s.NewName == nil && permissions == nil && rights == nil {
		return errors.New("nothing to change: give --name, --permission, --no-permissions, --record-right or --no-record-rights")
	}
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		ids, err := d.setIDs(ctx, []string{s.Set})
		if err != nil {
			return err
		}
		set, err := d.Schema.Staff.UpdatePermissionSet(ctx, staff.UpdatePermissionSetInput{ID: ids[0], Name: s.NewName, Permissions: permissions, RecordRights: rights})
		if err != nil {
			return err
		}
		return saySet(out, s.JSON, set)
	})
}

type removeSetCmd struct {
	asJSON
	Set string `arg:"" name:"name" help:"The permission set."`
}

// Run implements the command.
func (r *removeSetCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		ids, err := d.setIDs(ctx, []string{r.Set})
		if err != nil {
			return err
		}
		if err := d.Schema.Staff.DeletePermissionSet(ctx, ids[0]); err != nil {
			return err
		}
		if r.JSON {
			return printJSON(out, map[string]string{"deleted": ids[0]})
		}
		_, err = fmt.Fprintf(out, "%s was deleted.\n", r.Set)
		return err
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

	RecordRights []object.Right `json:"recordRights"`
}

func lineOf(set *staff.PermissionSet) setLine {
	line := setLine{set.ID(), set.Name, viewer.PermissionNames(set.Permissions), []string{}, append([]object.Right{}, set.RecordRights...)}
	for _, a := range set.Agents() {
		line.Agents = append(line.Agents, a.Username)
	}
	return line
}

// rightsSaid are rights on records as the flag takes them.
func rightsSaid(rights []object.Right) (said []string) {
	for _, r := range rights {
		said = append(said, r.Object+"="+string(r.Access))
		for _, f := range r.Fields {
			said = append(said, r.Object+"."+f.Field+"="+string(f.Access))
		}
	}
	return said
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
	if len(line.RecordRights) > 0 {
		fmt.Fprintf(out, "Records: %s.\n", strings.Join(rightsSaid(line.RecordRights), ", "))
	}
	return nil
}
