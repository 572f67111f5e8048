package modelcheck_test

import (
	"errors"
	"fmt"
	"testing"

	"parley/internal/check/modelcheck"
)

var (
	errLying   = errors.New("an answer is not what is in the database")
	errWritten = errors.New("an item was written twice")
	errStale   = errors.New("an item is answered with the error of an attempt that was undone")
)

func (w groupWorld) holds(s groupState) error {
	for i, a := range s.answer {
		switch {
		case s.db[i] > 1:
			return errWritten
		case a == groupOK && s.db[i] == 0, a != groupOK && a != groupNone && a < groupUnknown && s.db[i] > 0:
			return errLying
		}
	}
	if s.stale {
		return errStale
	}
	return nil
}

func (w groupWorld) model() modelcheck.Model[groupState] {
	type process = modelcheck.Process[groupState]
	m := modelcheck.Model[groupState]{
		Start: groupState{cannot: w.cannot, broken: w.broken},
		Processes: []process{
			{Name: "writer", Step: w.write},
			{Name: "writer", Step: w.refuse},
			{Name: "database", Step: w.fail(groupUnknown, false)},
			{Name: "database", Step: w.fail(groupUnknown, true)},
			{Name: "database", Step: w.fail(groupSilent, false)},
			{Name: "database", Step: w.fail(groupSilent, true)},
			{Name: "server", Step: groupClose},
		},
		Always: w.holds,
		Ends: func(s groupState) bool {
			return s.caller == [groupItems]groupCaller{groupLeft, groupLeft, groupLeft} && !s.twice && (!s.closing || s.at == groupEnded)
		},
	}
	for i := range int8(groupItems) {
		name := fmt.Sprint("caller ", i+1)
		m.Processes = append(m.Processes,
			process{Name: name, Step: w.call(i)}, process{Name: name, Step: w.quit(i)}, process{Name: name, Step: w.shut(i)})
		if i < groupItems-1 {
			m.Processes = append(m.Processes, process{Name: name, Step: groupEndContext(i)})
		}
	}
	return m
}

func TestAnAnswerIsWhatIsInTheDatabase(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]groupWorld{
		"one fails":             {kinds: [groupItems]groupKind{groupFails}, broken: 1},
		"one loses a race":      {kinds: [groupItems]groupKind{groupRaces, groupFails}, broken: 1},
		"one spoils the others": {kinds: [groupItems]groupKind{groupSpoils, groupFails}, cannot: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proves(t, w.model())
		})
	}
}

func TestGroupFaultsAreCaught(t *testing.T) {
	t.Parallel()
	fails, spoils := [groupItems]groupKind{groupFails}, [groupItems]groupKind{groupFails, groupSpoils}
	for name, c := range map[string]struct {
		groupWorld
		want error
		most int
	}{
		"answered before the commit":           {groupWorld{early: true}, errLying, 12},
		"no savepoint":                         {groupWorld{kinds: fails, unsaved: true}, errLying, 14},
		"run again after a failed commit":      {groupWorld{reruns: true, broken: 1}, errWritten, 14},
		"a caller leaves whatever was taken":   {groupWorld{leaves: true}, errLying, 14},
		"the last answer is not looked at":     {groupWorld{forgets: true}, errLying, 14},
		"a transaction that has ended goes on": {groupWorld{kinds: spoils, goesOn: true}, errLying, 14},
		"errors of an undone attempt are kept": {groupWorld{kinds: spoils, remembers: true, cannot: 1}, errStale, 14},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			catches(t, c.model(), c.want, c.most)
		})
	}
}
