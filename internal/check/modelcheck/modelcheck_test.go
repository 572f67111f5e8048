package modelcheck_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/modelcheck"
)

// proves searches a model that must hold and logs how large it is.
func proves[S comparable](t *testing.T, m modelcheck.Model[S]) {
	t.Helper()
	r := m.Explore()
	if r.Broken != nil {
		t.Fatalf("broken after %d states:\n%s", r.States, r.Broken)
	}
	t.Logf("%d states, %d steps, at most %d deep", r.States, r.Steps, r.Depth)
}

// catches searches a model with a fault in it: want is what must come of it, by
// a schedule of at most that many steps.
func catches[S comparable](t *testing.T, m modelcheck.Model[S], want error, most int) {
	t.Helper()
	r := m.Explore()
	require.NotNil(t, r.Broken, "%d states and nothing is wrong: %v is not caught", r.States, want)
	t.Logf("%d states\n%s", r.States, r.Broken)
	require.ErrorIs(t, r.Broken.Err, want)
	require.LessOrEqual(t, len(r.Broken.Schedule), most)
}

type counter struct {
	at, read [2]int
	sum      int
}

var errLost = errors.New("an increment is lost")

// increment reads and writes in two steps, or in one.
func increment(i int, atomic bool) func(*counter) string {
	return func(s *counter) string {
		switch s.at[i] {
		case 0:
			s.read[i] = s.sum
			s.at[i] = 1
			if !atomic {
				return "reads"
			}
			fallthrough
		case 1:
			s.sum = s.read[i] + 1
			s.at[i] = 2
			return "writes"
		}
		return ""
	}
}

func counting(atomic bool) modelcheck.Model[counter] {
	return modelcheck.Model[counter]{
		Processes: []modelcheck.Process[counter]{{"one", increment(0, atomic)}, {"two", increment(1, atomic)}},
		Always: func(s counter) error {
			if s.at == [2]int{2, 2} && s.sum != 2 {
				return errLost
			}
			return nil
		},
		Ends: func(s counter) bool { return s.at == [2]int{2, 2} },
	}
}

func TestALostUpdateIsFoundByAShortestSchedule(t *testing.T) {
	t.Parallel()
	proves(t, counting(true))
	r := counting(false).Explore()
	require.NotNil(t, r.Broken)
	require.ErrorIs(t, r.Broken.Err, errLost)
	require.Equal(t, []string{"one: reads", "two: reads", "one: writes", "two: writes"}, r.Broken.Schedule)
	require.Equal(t, "  1  one: reads\n  2  two: reads\n  3  one: writes\n  4  two: writes\n  =>  an increment is lost", r.Broken.String())
}

// Two processes of n steps that do not touch each other have (n+1)² states.
func TestEveryStateIsSeenOnce(t *testing.T) {
	t.Parallel()
	const n = 6
	walk := func(i int) func(*[2]int) string {
		return func(s *[2]int) string {
			if s[i] == n {
				return ""
			}
			s[i]++
			return "steps"
		}
	}
	m := modelcheck.Model[[2]int]{Processes: []modelcheck.Process[[2]int]{{"one", walk(0)}, {"two", walk(1)}}}
	r := m.Explore()
	require.Equal(t, modelcheck.Result{States: (n + 1) * (n + 1), Steps: 2 * n * (n + 1), Depth: 2 * n}, r)

	m.Most = n
	r = m.Explore()
	require.NotNil(t, r.Broken)
	require.ErrorIs(t, r.Broken.Err, modelcheck.ErrTooMany)
}

// forks is who holds which of two forks, 0 for nobody, and who has eaten.
type forks struct {
	held  [2]int
	eaten [2]bool
}

// dine takes both forks in an order, then lays them down. A polite one lays the
// first down again when it cannot have the second.
func dine(who, first, second int, polite bool) []modelcheck.Process[forks] {
	name := []string{"", "Ann", "Ben"}[who]
	eat := func(s *forks) string {
		switch {
		case s.eaten[who-1]:
			return ""
		case s.held[first] == 0:
			s.held[first] = who
			return "takes the first"
		case s.held[first] == who && s.held[second] == 0:
			s.held[first], s.eaten[who-1] = 0, true
			return "takes the second and eats"
		}
		return ""
	}
	yield := func(s *forks) string {
		if polite && s.held[first] == who {
			s.held[first] = 0
			return "lays the first down"
		}
		return ""
	}
	return []modelcheck.Process[forks]{{name, eat}, {name, yield}}
}

func TestADeadlockIsFound(t *testing.T) {
	t.Parallel()
	fed := func(s forks) bool { return s.eaten == [2]bool{true, true} }
	circle := modelcheck.Model[forks]{Processes: append(dine(1, 0, 1, false), dine(2, 1, 0, false)...), Ends: fed}
	catches(t, circle, modelcheck.ErrStuck, 2)
	proves(t, modelcheck.Model[forks]{Processes: append(dine(1, 0, 1, false), dine(2, 0, 1, false)...), Ends: fed})
	proves(t, modelcheck.Model[forks]{Processes: append(dine(1, 0, 1, true), dine(2, 1, 0, true)...), Ends: fed})
}

// A state that only leads round in a circle is no end, though nobody is stuck.
func TestALoopWithoutAnEndIsFound(t *testing.T) {
	t.Parallel()
	m := modelcheck.Model[int]{
		Processes: []modelcheck.Process[int]{
			{"good", func(s *int) string {
				if *s != 0 {
					return ""
				}
				*s = 9
				return "ends"
			}},
			{"lost", func(s *int) string {
				if *s == 9 {
					return ""
				}
				*s = 1 + *s%3
				return "goes round"
			}},
		},
		Ends: func(s int) bool { return s == 9 },
	}
	r := m.Explore()
	require.NotNil(t, r.Broken)
	require.ErrorIs(t, r.Broken.Err, modelcheck.ErrForever)
	require.Equal(t, []string{"lost: goes round"}, r.Broken.Schedule)
}
