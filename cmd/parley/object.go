package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"parley/internal/desk/directory"
	"parley/internal/desk/object"
	"parley/internal/desk/objecttype"
)

// objectCmd manages the types of CRM records, beside running servers or without any.
type objectCmd struct {
	List listObjectsCmd `cmd:"" help:"List object types."`
	Show showObjectCmd  `cmd:"" help:"Print an object type as JSON, as parley object set takes it."`
	Set  setObjectCmd   `cmd:"" help:"Define an object type, or change it. Fields that are left out stay."`
}

type listObjectsCmd struct{ asJSON }

// Run implements the command.
func (l *listObjectsCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(_ context.Context, d *operator) error {
		types := d.Directory.ObjectTypes()
		if l.JSON {
			definitions := make([]object.Definition, len(types))
			for i, t := range types {
				definitions[i] = t.Definition
			}
			return printJSON(out, definitions)
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "NAME\tLABEL\tFIELDS\tPHONES")
		for _, t := range types {
			fmt.Fprintf(table, "%s\t%s\t%d\t%s\n", t.Name, t.Label, len(t.Fields), phonesOf(t))
		}
		return table.Flush()
	})
}

func phonesOf(t *directory.ObjectType) (names string) {
	for i, p := range t.Messaging.Phones {
		if i > 0 {
			names += ", "
		}
		names += p.Field
	}
	return names
}

type showObjectCmd struct {
	Name string `arg:"" help:"Name of the object type, such as Lead."`
}

// Run implements the command.
func (s *showObjectCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(_ context.Context, d *operator) error {
		t := d.Directory.ObjectType(s.Name)
		if t == nil {
			return fmt.Errorf("there is no object type %q; parley object list prints them", s.Name)
		}
		return printJSON(out, t.Definition)
	})
}

type setObjectCmd struct {
	File string `arg:"" help:"JSON file with the definition, as parley object show prints it; - for standard input."`
}

// Run implements the command.
func (s *setObjectCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	in := os.Stdin
	if s.File != "-" {
		file, err := os.Open(s.File)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, object.MostBytes))
	if err != nil {
		return err
	}
	def, err := object.Parse(text)
	if err != nil {
		return fmt.Errorf("%s is no definition: %w; parley object show prints one", s.File, err)
	}
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		if err := define(ctx, d.Schema.ObjectTypes, d.Directory.ObjectType(def.Name), def); err != nil {
			return err
		}
		return printJSON(out, d.Directory.ObjectType(def.Name).Definition)
	})
}

// define creates an object type, or changes the one that is there.
func define(ctx context.Context, types *objecttype.Service, there *directory.ObjectType, def *object.Definition) (err error) {
	if there == nil {
		_, err = types.Create(ctx, objecttype.CreateInput{
			Name: def.Name, Label: def.Label, PluralLabel: &def.PluralLabel, Icon: &def.Icon, Description: &def.Description,
			Fields: def.Fields, Messaging: &def.Messaging, Related: def.Related, IdempotencyKey: rand.Text(),
		})
		return err
	}
	_, err = types.Update(ctx, objecttype.UpdateInput{
		ID: there.ID, Label: &def.Label, PluralLabel: &def.PluralLabel, Icon: &def.Icon, Description: &def.Description,
		Fields: def.Fields, Messaging: &def.Messaging, Related: append([]object.Mapping{}, def.Related...),
	})
	return err
}
