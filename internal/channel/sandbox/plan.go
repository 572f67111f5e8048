package sandbox

import (
	"strconv"
	"strings"
	"time"

	"parley/internal/channel"
)

// Reaction is what the carrier does with a send.
type Reaction int

// The reactions. Refuse, Throttle, Down and Lose take nothing; Hang takes the
// message and then never answers, as Lose never does without taking it.
const (
	Take Reaction = iota
	Refuse
	Throttle
	Down
	Lose
	Hang
)

// Plan is what the carrier does with one message.
type Plan struct {
	Reaction Reaction
	// Tries is how many sends with the same key meet the reaction; those after
	// are taken. Zero means all of them. A key once taken is answered as taken,
	// whatever the plan.
	Tries int
	// Code says why, when refused; channel.CannotBeSent when empty.
	Code channel.ErrorCode
	// RetryAfter is told when throttled; a second when zero.
	RetryAfter time.Duration

	// Early posts the first receipt before the send is answered.
	Early bool
	// Silent posts no receipt.
	Silent bool
	// Receipts are posted one after the other; none means the carrier's usual
	// SENT and DELIVERED.
	Receipts []Step
}

// Step is one receipt of a Plan.
type Step struct {
	After  time.Duration // since the step before, or since the message was taken
	Status channel.Status
	Code   channel.ErrorCode // when Failed
	// Copies is how often the same receipt is posted; once when zero.
	Copies int
}

// maxDelay and maxTries bound what a directive may ask.
const (
	maxDelay = 10 * time.Minute
	maxTries = 100
)

// PlanOf reads the directives in a message's text, words that begin with "#":
//
//	#reject=2001       refused, with this code of the domain
//	#timeout           taken, but the send is never answered
//	#timeout-lost[=N]  not taken and never answered, the first N tries or all
//	#throttle[=N]      told to slow down, the first N tries or once
//	#down[=N]          out of service, the first N tries or all
//	#late=5s           the first receipt is late
//	#double            each receipt comes twice
//	#reorder           DELIVERED comes before SENT
//	#early             the first receipt comes before the send is answered
//	#undelivered=2004  SENT, then FAILED with this code
//	#silent            no receipts
//
// Tries are those of the same words to the same customer until they are taken,
// under whatever key: a message that was put off comes again under another.
//
// Any number of them may be combined; what is none is text like any other.
func PlanOf(text string, usual []Step) Plan {
	plan := Plan{Receipts: append([]Step(nil), usual...)}
	for _, word := range strings.Fields(text) {
		if rest, ok := strings.CutPrefix(word, "#"); ok {
			name, value, _ := strings.Cut(rest, "=")
			plan.apply(name, value)
		}
	}
	return plan
}

func (p *Plan) apply(name, value string) {
	switch name {
	case "reject":
		p.Reaction, p.Code = Refuse, codeOf(value)
	case "timeout":
		p.Reaction, p.Tries = Hang, 1
	case "timeout-lost":
		p.Reaction, p.Tries = Lose, triesOf(value, 0)
	case "throttle":
		p.Reaction, p.Tries = Throttle, triesOf(value, 1)
	case "down":
		p.Reaction, p.Tries = Down, triesOf(value, 0)
	default:
		p.applyToReceipts(name, value)
	}
}

func (p *Plan) applyToReceipts(name, value string) {
	switch name {
	case "early":
		p.Early = true
	case "silent":
		p.Silent = true
	case "late":
		p.delay(value)
	case "double":
		for i := range p.Receipts {
			p.Receipts[i].Copies = 2
		}
	case "reorder":
		p.reverse()
	case "undelivered":
		if last := len(p.Receipts) - 1; last >= 0 {
			p.Receipts[last].Status, p.Receipts[last].Code = channel.Failed, codeOf(value)
		}
	}
}

func (p *Plan) delay(value string) {
	d, err := time.ParseDuration(value)
	if err == nil && d > 0 && len(p.Receipts) > 0 {
		p.Receipts[0].After += min(d, maxDelay)
	}
}

// reverse swaps what is reported and keeps when.
func (p *Plan) reverse() {
	for i, j := 0, len(p.Receipts)-1; i < j; i, j = i+1, j-1 {
		a, b := &p.Receipts[i], &p.Receipts[j]
		a.Status, b.Status, a.Code, b.Code = b.Status, a.Status, b.Code, a.Code
	}
}

// codeOf reads an error code of the domain, CannotBeSent when it is none.
func codeOf(value string) channel.ErrorCode {
	if code := channel.ErrorCode(value); code.Explain() != "" {
		return code
	}
	return channel.CannotBeSent
}

func triesOf(value string, otherwise int) int {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 {
		return otherwise
	}
	return min(n, maxTries)
}
