package seed

import (
	"math/rand/v2"
	"strings"

	"parley/internal/channel"
	"parley/internal/ground/clock"
)

// act is one thing that happens in a conversation.
type act int

const (
	hear   act = iota // the customer writes
	say               // the handler writes
	note              // the handler notes
	read              // the owner reads
	unread            // the owner marks it unread
	assign            // it is given to the handler, from then on
)

// step is an act with what it takes.
type step struct {
	act  act
	by   int64 // who acts, or who is given it
	text string
	at   clock.Time
	fate int // of what the handler writes, 0 to 999
}

// script is how one conversation went, before it has keys.
type script struct {
	number     int // in the set
	line       *line
	name       string // of the customer; empty when nobody told it
	consent    channel.Consent
	objectType string
	anchored   bool
	title      string // of its record
	waiting    bool   // for the first answer
	steps      []step

	random *rand.Rand // used up when the script is written
}

// draw picks one of a list.
func draw[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// write makes conversation i. It draws from the set's generator in a fixed order.
func (s *set) write(i int, lines *lineup) *script {
	r := s.random(i)
	c := &script{number: i, random: r, line: lines.pick(r)}
	c.name = draw(r, firstNames) + " " + draw(r, lastNames)
	t := &talk{script: c, topic: draw(r, topics), handler: draw(r, c.line.handlers)}
	t.fill = strings.NewReplacer(
		"{order}", digits(r, 5), "{day}", draw(r, days), "{time}", draw(r, hours), "{item}", draw(r, items),
		"{amount}", "$"+digits(r, 2)+"."+digits(r, 2))
	c.describe(t.topic)
	t.run(s.messages(i))
	c.schedule(s.anchor)
	return c
}

func digits(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('1' + r.IntN(9))
	}
	return string(b)
}

// describe draws the customer's consent and their record.
func (c *script) describe(t topic) {
	r := c.random
	switch n := r.IntN(100); {
	case n < 68:
		c.consent = channel.ImplicitOptIn
	case n < 88:
		c.consent = channel.ExplicitOptIn
	case n < 95:
		c.consent = channel.DoubleOptIn
	case n < 97:
		c.consent = channel.Pending
	default:
		c.consent = channel.OptOut
	}
	c.title = c.name
	switch n := r.IntN(100); {
	case n < 45:
		c.objectType = "Contact"
	case n < 70:
		c.objectType = "Lead"
	case n < 90:
		c.objectType, c.title = "Case", "Case "+digits(r, 6)+": "+t.title
	default:
		c.objectType, c.title = "Visit__c", "Visit at "+c.name
	}
	c.anchored = r.IntN(100) < 85
	if !c.anchored && r.IntN(3) == 0 {
		c.name = ""
	}
}

// talk writes the steps of a script.
type talk struct {
	*script
	topic   topic
	fill    *strings.Replacer
	handler int64
	last    string // text, so that nobody says the same thing twice running
}

// run writes n messages and what goes on around them. An opt-out is the last
// thing that a customer says.
func (t *talk) run(n int) {
	r := t.random
	if t.consent == channel.OptOut {
		n--
	}
	switch kind := r.IntN(100); {
	case n <= 6 && kind < 22: // nobody has answered yet
		t.wait(n)
		t.waiting = t.consent != channel.OptOut
	case n <= 3 && kind < 35: // the customer has not
		for range n {
			t.add(say, t.topic.starts)
		}
	default:
		t.converse(n)
	}
	if t.consent == channel.OptOut {
		t.steps = append(t.steps, step{act: hear, text: "STOP"})
	}
	t.end()
}

func (t *talk) wait(n int) {
	for i := range n {
		if i == 0 {
			t.add(hear, t.topic.openers)
			continue
		}
		t.add(hear, t.topic.replies)
	}
}

// converse takes turns, with a second line now and then, a note, and sometimes a
// change of hands.
func (t *talk) converse(n int) {
	r, turn := t.random, hear
	handOver := -1
	if n > 2 && r.IntN(100) < 18 {
		handOver = 1 + r.IntN(n-1)
	}
	for i := range n {
		if i == handOver {
			t.handler = draw(r, t.line.handlers)
			t.steps = append(t.steps, step{act: assign, by: t.handler})
		}
		switch {
		case i == 0 && r.IntN(100) < 25:
			t.add(say, t.topic.starts)
			turn = hear
		case i == 0:
			t.add(hear, t.topic.openers)
			turn = say
		case r.IntN(100) < 5:
			t.add(note, t.topic.internal)
		default:
			turn = t.turn(turn)
		}
	}
}

// turn lets somebody speak and tells whose turn is next.
func (t *talk) turn(whose act) (next act) {
	if whose == say {
		t.add(say, t.topic.answers)
		return pick(t.random, 70, hear, say)
	}
	t.add(hear, t.topic.replies)
	return pick(t.random, 75, say, hear)
}

func pick[T any](r *rand.Rand, percent int, yes, no T) T {
	if r.IntN(100) < percent {
		return yes
	}
	return no
}

func (t *talk) add(a act, list []string) {
	text := t.fill.Replace(draw(t.random, list))
	for text == t.last {
		text = t.fill.Replace(draw(t.random, list))
	}
	t.last = text
	t.steps = append(t.steps, step{act: a, by: t.handler, text: text, fate: t.random.IntN(1000)})
}

// end leaves some of what came in last unread.
func (t *talk) end() {
	r := t.random
	switch t.steps[len(t.steps)-1].act {
	case hear:
		if r.IntN(100) < 45 && !t.waiting {
			t.steps = append(t.steps, step{act: read, by: t.handler})
		}
	case say:
		if r.IntN(100) < 3 {
			t.steps = append(t.steps, step{act: unread, by: t.handler})
		}
	}
}

// Times of a script.
const (
	second = clock.Time(1_000_000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
	span   = 60 * day
)

// schedule gives the steps their times: bursts of minutes with pauses of hours
// and days between them, within the sixty days before the anchor, and more
// conversations ending lately than long ago. Long threads are pressed together.
func (c *script) schedule(anchor clock.Time) {
	r := c.random
	reach := span - 2*day
	if c.waiting {
		reach = 2 * day // nobody waits for weeks
	}
	back := clock.Time(r.Int64N(int64(reach)))
	for range 2 { // skewed to the present
		back = back / 1000 * clock.Time(r.Int64N(1000))
	}
	end, start := anchor-back-minute, anchor-span
	gaps, sum := make([]clock.Time, len(c.steps)), clock.Time(0)
	for i := 1; i < len(gaps); i++ {
		gaps[i] = gap(r)
		sum += gaps[i]
	}
	room := end - start
	at := end
	for i := len(c.steps) - 1; i >= 0; i-- {
		c.steps[i].at = at
		g := gaps[i]
		if sum > room {
			g = max(1, g/1000*(room/(sum/1000+1))) // whole numbers; never beyond the room
		}
		at -= g
	}
}

func gap(r *rand.Rand) clock.Time {
	switch n := r.IntN(100); {
	case n < 70:
		return 20*second + clock.Time(r.Int64N(int64(5*minute)))
	case n < 92:
		return 5*minute + clock.Time(r.Int64N(int64(3*hour)))
	}
	return 4*hour + clock.Time(r.Int64N(int64(3*day)))
}
