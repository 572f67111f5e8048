package formula

import "parley/internal/ground/decimal"

// code computes a value.
type code func(*frame) Value

// expr is a checked part of a formula: code that computes its value, and, where that is
// quicker, code that computes only the text, number or truth in it.
type expr struct {
	typ   Type
	run   code
	text  func(*frame) string
	num   func(*frame) (decimal.Decimal, blankness)
	truth func(*frame) bool
	// write writes the text of this part into the frame's buffer.
	write func(*frame)
	// parts are what the text of this part is made of, where that is known: whoever
	// writes the text writes these one after the other.
	parts []expr
	// literal is the value of what is written down.
	literal *Value
	at      place
}

func constant(v Value) expr {
	return expr{
		typ: v.typ, literal: &v,
		run:   func(*frame) Value { return v },
		text:  func(*frame) string { return v.text },
		num:   func(*frame) (decimal.Decimal, blankness) { return v.num, v.blank },
		truth: func(*frame) bool { return v.Bool() },
	}
}

// ofText is a part that results in a text.
func ofText(text func(*frame) string) expr {
	return expr{typ: Text, text: text, run: func(f *frame) Value { return Value{typ: Text, text: text(f)} }}
}

// ofTruth is a part that is true or false.
func ofTruth(truth func(*frame) bool) expr {
	return expr{typ: Boolean, truth: truth, run: func(f *frame) Value {
		if truth(f) {
			return isTrue
		}
		return isFalse
	}}
}

// ofNumber is a part that results in a number.
func ofNumber(typ Type, num func(*frame) (decimal.Decimal, blankness)) expr {
	return expr{typ: typ, num: num, run: func(f *frame) Value {
		d, blank := num(f)
		return Value{typ: Number, num: d, blank: blank}
	}}
}

// texts is code for the text of a part.
func (e expr) texts() func(*frame) string {
	if run := e.run; e.text == nil {
		return func(f *frame) string { return run(f).text }
	}
	return e.text
}

// truths is code for whether a part is true.
func (e expr) truths() func(*frame) bool {
	if run := e.run; e.truth == nil {
		return func(f *frame) bool { return run(f).Bool() }
	}
	return e.truth
}

// numbers is code for the number of a part, and whether it is blank.
func (e expr) numbers() func(*frame) (decimal.Decimal, blankness) {
	if run := e.run; e.num == nil {
		return func(f *frame) (decimal.Decimal, blankness) {
			v := run(f)
			return v.num, v.blank
		}
	}
	return e.num
}

var isTrue, isFalse = BooleanOf(true), BooleanOf(false)
