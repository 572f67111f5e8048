package main

import (
	"context"
	"fmt"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"parley/internal/desk/formula"
	"parley/internal/ground/decimal"
)

// evaluations are how many a contender does in one go, so that the clock's own cost is
// not measured.
const evaluations = 1000

// like is a formula in Parley's language and what is most like it in expr's.
type like struct {
	name       string
	ours       string
	isTemplate bool
	theirs     string
	want       string // what both result in
	wantTheirs string // where floating point writes it otherwise
}

var likes = []like{
	{
		name: "a text of five merge fields", isTemplate: true,
		ours:   `Dear {!Name}, your case {!CaseNumber} ({!Subject}) is with {!Owner}. Reply to {!Mail}.`,
		theirs: `"Dear " + Name + ", your case " + CaseNumber + " (" + Subject + ") is with " + Owner + ". Reply to " + Mail + "."`,
		want:   "Dear Maya Iverson, your case 00001006 (Generator assembly) is with Amy Adams. Reply to desk@example.com.",
	},
	{
		name:   "a text with a choice",
		ours:   `IF(Status = "Open" && CONTAINS(Subject, "assembly"), UPPER(Owner) & " - " & Subject, "closed")`,
		theirs: `Status == "Open" && Subject contains "assembly" ? upper(Owner) + " - " + Subject : "closed"`,
		want:   "AMY ADAMS - Generator assembly",
	},
	{
		name:   "a condition",
		ours:   `AND(Amount > 100, Quantity <= 12, OR(Status = "New", Status = "Open"), NOT(IsClosed))`,
		theirs: `Amount > 100 && Quantity <= 12 && (Status == "New" || Status == "Open") && !IsClosed`,
		want:   "true",
	},
	{
		name:   "a price",
		ours:   `Amount * Quantity * (1 - Discount) + 4.90`,
		theirs: `Amount * Quantity * (1 - Discount) + 4.90`,
		want:   "1029.8980", wantTheirs: "1029.898",
	},
	{
		name:   "a price, rounded",
		ours:   `ROUND(MAX(Amount * Quantity, 50) * (1 - Discount) / 3, 2)`,
		theirs: `round(max(Amount * Quantity, 50) * (1 - Discount) / 3 * 100) / 100`,
		want:   "341.67",
	},
}

// formulas measures expressions against expr's, the fastest widely used expression
// language in Go, which computes in binary floating point. It runs on a machine of its
// own that is used again, as its authors advise.
func (s *settings) formulas(ctx context.Context, r *report) error {
	for _, l := range likes {
		ours, err := oursOf(l)
		if err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		theirs, err := theirsOf(l)
		if err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		err = s.compare(ctx, r, comparison{group: fmt.Sprintf("%s, %d times", l.name, evaluations), clients: 1, contenders: []contender{
			{"expr-lang/expr", theirs}, {"Parley's formulas", ours},
		}})
		if err != nil {
			return err
		}
		r.noteEach()
	}
	return nil
}

// noteEach says of the last figure what one evaluation takes, beside the one before it.
func (r *report) noteEach() {
	theirs, ours := &r.Figures[len(r.Figures)-2], &r.Figures[len(r.Figures)-1]
	ours.Note = fmt.Sprintf("%.2f µs and %.1f allocations each, theirs %.2f and %.1f",
		ours.P50*1000/evaluations, ours.Allocs/evaluations, theirs.P50*1000/evaluations, theirs.Allocs/evaluations)
}

// oursOf evaluates in Parley's language.
func oursOf(l like) (func(context.Context, int) error, error) {
	text := func(name string) formula.Field { return formula.Field{Name: name, Type: formula.Text} }
	schema := formula.NewFields(text("Name"), text("CaseNumber"), text("Subject"), text("Owner"), text("Mail"), text("Status"),
		formula.Field{Name: "Amount", Type: formula.Currency}, formula.Field{Name: "Quantity", Type: formula.Number},
		formula.Field{Name: "Discount", Type: formula.Percent}, formula.Field{Name: "IsClosed", Type: formula.Boolean})
	values := map[string]formula.Value{
		"Name": formula.TextOf("Maya Iverson"), "CaseNumber": formula.TextOf("00001006"), "Subject": formula.TextOf("Generator assembly"),
		"Owner": formula.TextOf("Amy Adams"), "Mail": formula.TextOf("desk@example.com"), "Status": formula.TextOf("Open"),
		"Amount": formula.CurrencyOf(decimal.New(10049, 2)), "Quantity": formula.NumberOf(decimal.Of(12)),
		"Discount": formula.PercentOf(decimal.New(15, 2)), "IsClosed": formula.BooleanOf(false),
	}
	compile := formula.Expression
	if l.isTemplate {
		compile = formula.Template
	}
	program, err := compile(l.ours, schema, formula.Options{})
	if err != nil {
		return nil, err
	}
	environment := &formula.Environment{Values: program.Arrange(func(path string) formula.Value { return values[path] })}
	return func(context.Context, int) error {
		for range evaluations {
			got, err := program.Run(environment)
			if err != nil {
				return err
			}
			last = got
		}
		return same(last.String(), l.want)
	}, nil
}

// last keeps what was computed.
var last formula.Value

// theirsOf evaluates in expr's language.
func theirsOf(l like) (func(context.Context, int) error, error) {
	values := map[string]any{
		"Name": "Maya Iverson", "CaseNumber": "00001006", "Subject": "Generator assembly", "Owner": "Amy Adams", "Mail": "desk@example.com", "Status": "Open",
		"Amount": 100.49, "Quantity": 12.0, "Discount": 0.15, "IsClosed": false,
	}
	program, err := expr.Compile(l.theirs, expr.Env(values))
	if err != nil {
		return nil, err
	}
	want := l.want
	if l.wantTheirs != "" {
		want = l.wantTheirs
	}
	var machine vm.VM
	return func(context.Context, int) error {
		var got any
		for range evaluations {
			if got, err = machine.Run(program, values); err != nil {
				return err
			}
		}
		return same(fmt.Sprint(got), want)
	}, nil
}

func same(got, want string) error {
	if got != want {
		return fmt.Errorf("%q is not %q", got, want)
	}
	return nil
}
