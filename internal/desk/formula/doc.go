// Package formula is the one expression language of Parley: merge fields in the texts of
// components ({!Subject}), expressions over a record (CaseNumber & " - " & Subject), and
// conditions. docs/formulas.md describes it for those who write formulas.
//
//	program, err := formula.Expression(`Total * (1 - Discount)`, formula.NewFields(
//		formula.Field{Name: "Total", Type: formula.Currency},
//		formula.Field{Name: "Discount", Type: formula.Percent}), formula.Options{})
//	result, err := program.Run(&formula.Environment{Values: program.Arrange(row.Value)})
//
// A formula is parsed and checked once, against a [Schema] that knows the types of the
// fields. The [Program] is then run any number of times, by any number of goroutines.
// Values lie in the order of [Program.Fields], so that whoever runs a program reads those
// fields and no others.
//
// Every error is an [*Error] with a code, a place in the source, and a suggestion for a
// misspelt name. The package does no input or output, knows no database, and takes the
// time from its caller. Source, nesting, fields, work and results are bounded, so that no
// formula takes longer than some tens of milliseconds.
package formula

// Bounds. A formula past one of them is refused, or stops with TooLarge.
const (
	// MaxExpression is the longest expression, in characters.
	MaxExpression = 5000
	// MaxTemplate is the longest template, in characters.
	MaxTemplate = 20_000
	// MaxDepth is how deep parentheses, functions and signs may be nested.
	MaxDepth = 64
	// MaxParts is how many operands, operators and functions a formula may have, with those
	// of its lists' templates.
	MaxParts = 20_000
	// MaxFields is how many fields a formula may use.
	MaxFields = 100
	// MaxPath is how many names a path such as Account.Owner.Name may have.
	MaxPath = 10
	// MaxItems is how many items a list may have.
	MaxItems = 1000
	// MaxText is the longest text that a formula may make, in bytes.
	MaxText = 65_536
	// MaxWork is how much a formula may do: bytes of text that are read or written, 20,000
	// for each function that needs many steps, and 100 for every part of a list's template,
	// for each item.
	MaxWork = 4_000_000
)
