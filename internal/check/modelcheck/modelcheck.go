// Package modelcheck searches every schedule of a few processes for one that breaks an
// invariant.
//
// A model is a small copy of a protocol: its whole state is one comparable value (arrays
// and numbers, no pointers), and each process is a function that takes its next step. A
// step is what cannot be interrupted: one transaction, one statement, one section under a
// lock, one channel operation.
//
//	model := modelcheck.Model[state]{
//		Processes: []modelcheck.Process[state]{{Name: "writer 1", Step: write(0)}, {Name: "writer 2", Step: write(1)}},
//		Always:    func(s state) error { … },
//		Ends:      func(s state) bool { … },
//	}
//	result := model.Explore()
//
// The search goes breadth first and visits every state once, so it ends, and the schedule
// it reports is among the shortest. It proves the model within the bounds of its state,
// not the code: each model names the functions that its steps stand for, and its mutations
// show that it would notice their absence.
//
// The models are this package's tests, one file for each.
package modelcheck

import (
	"errors"
	"fmt"
	"strings"
)

// Process is one of those that run at the same time: a goroutine, a server, or
// what befalls them (a crash, a clock, a network that loses).
type Process[S comparable] struct {
	// Name is who acts, in schedules.
	Name string
	// Step takes the process's next step and tells what it did; "" when it cannot
	// step now, because it waits or has ended. It must depend on s alone.
	Step func(s *S) (did string)
}

// Model is a state, the processes that change it and what must hold.
type Model[S comparable] struct {
	Start     S
	Processes []Process[S]
	// Always is asked in every state; nil for nothing. It returns what is wrong.
	Always func(S) error
	// Ends tells the states in which everything is well and done. From every
	// state the processes must be able to reach one, and no process may be stuck
	// outside; nil for no such demand.
	Ends func(S) bool
	// Most bounds the number of states; a million by default.
	Most int
}

// Result is what a search found.
type Result struct {
	States int // seen
	Steps  int // between them
	Depth  int // of the longest of the shortest schedules
	// Broken is the schedule that breaks the model, nil when there is none.
	Broken *Counterexample
}

// Counterexample is a shortest schedule to a state that must not be.
type Counterexample struct {
	Err      error
	Schedule []string // who did what
}

// String is the schedule, a step to a line, and what is wrong at its end.
func (c *Counterexample) String() string {
	var b strings.Builder
	for i, step := range c.Schedule {
		fmt.Fprintf(&b, "%3d  %s\n", i+1, step)
	}
	fmt.Fprintf(&b, "  =>  %v", c.Err)
	return b.String()
}

// What a search reports besides what Always returns.
var (
	ErrStuck   = errors.New("no process can take a step, and nothing is done")
	ErrForever = errors.New("whatever happens from here, it never comes to an end")
	ErrTooMany = errors.New("the model has more states than Most")
)

// node is how a state was first reached.
type node struct {
	from    int32 // -1 for the start
	process int32
	depth   int32
}

// search is a model with what has been seen of it.
type search[S comparable] struct {
	Model[S]
	seen   map[S]int32
	states []S
	nodes  []node
	edges  [][2]int32 // from, to
}

// Explore visits every state that some schedule reaches, until one is wrong.
func (m Model[S]) Explore() Result {
	if m.Most == 0 {
		m.Most = 1_000_000
	}
	s := &search[S]{Model: m, seen: map[S]int32{}}
	broken := s.run()
	result := Result{States: len(s.states), Steps: len(s.edges), Broken: broken}
	for _, n := range s.nodes {
		result.Depth = max(result.Depth, int(n.depth))
	}
	return result
}

func (s *search[S]) run() *Counterexample {
	s.visit(s.Start, node{from: -1})
	for at := int32(0); int(at) < len(s.states); at++ {
		if s.Always != nil {
			if err := s.Always(s.states[at]); err != nil {
				return s.schedule(at, err)
			}
		}
		if len(s.states) > s.Most {
			return s.schedule(at, ErrTooMany)
		}
		if moved := s.expand(at); !moved && s.Ends != nil && !s.Ends(s.states[at]) {
			return s.schedule(at, ErrStuck)
		}
	}
	if s.Ends == nil {
		return nil
	}
	if at := s.endless(); at >= 0 {
		return s.schedule(at, ErrForever)
	}
	return nil
}

// expand takes every step that is possible at a state and reports whether one
// led elsewhere.
func (s *search[S]) expand(at int32) (moved bool) {
	for i, p := range s.Processes {
		next := s.states[at]
		if p.Step(&next) == "" || next == s.states[at] {
			continue
		}
		to := s.visit(next, node{from: at, process: int32(i), depth: s.nodes[at].depth + 1})
		s.edges = append(s.edges, [2]int32{at, to})
		moved = true
	}
	return moved
}

// visit returns the state's number, a new one when it was not seen before.
func (s *search[S]) visit(state S, n node) int32 {
	at, ok := s.seen[state]
	if !ok {
		at = int32(len(s.states))
		s.seen[state] = at
		s.states = append(s.states, state)
		s.nodes = append(s.nodes, n)
	}
	return at
}

// endless returns the first state from which no end can be reached, -1 when
// there is none. It walks from the ends back.
func (s *search[S]) endless() int32 {
	before := make([][]int32, len(s.states))
	for _, e := range s.edges {
		before[e[1]] = append(before[e[1]], e[0])
	}
	ends := make([]bool, len(s.states))
	var todo []int32
	for at, state := range s.states {
		if s.Ends(state) {
			ends[at] = true
			todo = append(todo, int32(at))
		}
	}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, b := range before[at] {
			if !ends[b] {
				ends[b] = true
				todo = append(todo, b)
			}
		}
	}
	for at := range ends {
		if !ends[at] {
			return int32(at)
		}
	}
	return -1
}

// schedule tells the way to a state by taking its steps once more.
func (s *search[S]) schedule(at int32, err error) *Counterexample {
	steps := make([]string, s.nodes[at].depth)
	for i := len(steps) - 1; i >= 0; i-- {
		n := s.nodes[at]
		p, state := s.Processes[n.process], s.states[n.from]
		steps[i] = p.Name + ": " + p.Step(&state)
		at = n.from
	}
	return &Counterexample{Err: err, Schedule: steps}
}
