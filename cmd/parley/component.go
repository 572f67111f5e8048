package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"parley/internal/desk/component"
	"parley/internal/desk/composer"
	"parley/internal/ground/page"
)

// componentCmd shows messaging components, beside running servers or without any.
type componentCmd struct {
	List listComponentsCmd `cmd:"" help:"List messaging components, by name."`
	Show showComponentCmd  `cmd:"" help:"Print what a component says, as JSON."`
}

type listComponentsCmd struct {
	asJSON
	Archived bool `help:"Those that are archived, instead of the others."`
}

// line is a component as JSON.
type componentLine struct {
	Name          string         `json:"name"`
	DeveloperName string         `json:"developerName"`
	Kind          component.Kind `json:"kind"`
	Version       int            `json:"version"`
	IsUsed        bool           `json:"isUsed"`
}

// Run implements the command.
func (l *listComponentsCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		list, err := d.components(ctx, l.Archived)
		if err != nil {
			return err
		}
		if l.JSON {
			lines := make([]componentLine, len(list))
			for i, c := range list {
				lines[i] = componentLine{c.Name, c.DeveloperName, c.Kind(), c.Version, c.IsUsed}
			}
			return printJSON(out, lines)
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "DEVELOPER NAME\tNAME\tKIND\tVERSION\tUSED")
		for _, c := range list {
			fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%t\n", c.DeveloperName, c.Name, c.Kind(), c.Version, c.IsUsed)
		}
		return table.Flush()
	})
}

func (o *operator) components(ctx context.Context, archived bool) ([]*composer.Component, error) {
	list, err := o.Schema.Composer.List(ctx, &composer.Filter{IsArchived: &archived}, page.Window{Size: component.MostComponents})
	if err != nil {
		return nil, err
	}
	return list.Nodes, nil
}

type showComponentCmd struct {
	Name string `arg:"" help:"Developer name of the component."`
}

// Run implements the command.
func (s *showComponentCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		for _, archived := range []bool{false, true} {
			list, err := d.components(ctx, archived)
			if err != nil {
				return err
			}
			for _, found := range list {
				if !strings.EqualFold(found.DeveloperName, s.Name) {
					continue
				}
				designs, err := d.Schema.Composer.Designs(ctx, []*composer.Component{found})
				if err != nil {
					return err
				}
				return printJSON(out, designs[0])
			}
		}
		return fmt.Errorf("there is no component %q; parley component list prints them", s.Name)
	})
}
