// Command schemafile writes schema.graphql from schema/*.graphql, and refuses
// when that would take something away from clients that was not announced
// (docs/decisions/0010-schema-only-grows.md). It is run by "make generate".
//
//	schemafile          write schema.graphql
//	schemafile FILE     write nothing, and compare with FILE, an older schema.graphql
package main

import (
	"fmt"
	"os"
	"time"

	"parley/internal/check/conventions"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	root, err := conventions.Root()
	if err != nil {
		return err
	}
	if len(args) > 0 {
		return conventions.CompareSchema(root, args[0], time.Now())
	}
	return conventions.WriteSchema(root, time.Now())
}
