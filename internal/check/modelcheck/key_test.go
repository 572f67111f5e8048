package modelcheck_test

import (
	"errors"
	"fmt"
	"testing"

	"parley/internal/check/modelcheck"
)

// Idempotency keys (once: Do, remembered): a client sends one request with
// one key to two processes at a time, and again when it was not answered.
//
// Bounds: two requests, two failures, each of a transaction before its commit or
// of a commit that took effect unheard.

type keyAt int8

const (
	keyClaims  keyAt = iota // INSERT … ON CONFLICT DO NOTHING, or SELECT what is there
	keyMakes                // make, then the result is written to the key
	keyCommits              // all of it is seen at once
	keyAnswered
)

type keyState struct {
	at       [2]keyAt
	answer   [2]int8 // the message's id
	open     int8    // the request whose open transaction holds the key, from 1
	known    bool    // the key is there, committed …
	result   int8    // … with this result, 0 for none yet
	made     int8    // messages
	failures int8    // left
}

type keyFault string

const (
	keyLooks keyFault = "the key is looked for, then written"
	keyApart keyFault = "the key is claimed in a transaction of its own"
)

func (f keyFault) request(i int8) func(*keyState) string {
	return func(s *keyState) string {
		switch s.at[i] {
		case keyClaims:
			switch {
			case s.open != 0:
				return "" // the other's INSERT is not decided yet
			case s.known:
				s.at[i], s.answer[i] = keyAnswered, s.result
				return fmt.Sprintf("is answered with the result remembered, %d", s.result)
			case f == keyApart:
				s.known = true
			case f == "":
				s.open = i + 1
			}
			s.at[i] = keyMakes
			return "claims the key"
		case keyMakes:
			s.at[i] = keyCommits
			return "makes a message"
		case keyCommits:
			s.commit()
			s.at[i], s.answer[i] = keyAnswered, s.result
			return fmt.Sprintf("commits message %d, and is answered", s.result)
		}
		return ""
	}
}

func (s *keyState) commit() {
	s.made++
	s.open, s.known, s.result = 0, true, s.made
}

// fail loses the answer: the client sends the request again.
func (f keyFault) fail(i int8, took bool) func(*keyState) string {
	return func(s *keyState) string {
		if s.failures == 0 || s.at[i] == keyAnswered || s.at[i] == keyClaims || took && s.at[i] != keyCommits {
			return ""
		}
		s.failures--
		s.at[i] = keyClaims
		if took {
			s.commit()
			return "commits, and its answer is lost"
		}
		if s.open == i+1 {
			s.open = 0
		}
		return "fails and is undone"
	}
}

var (
	errMadeTwice = errors.New("one key made two messages")
	errResult    = errors.New("a request was answered with another message than the key's")
)

func (f keyFault) model() modelcheck.Model[keyState] {
	type process = modelcheck.Process[keyState]
	m := modelcheck.Model[keyState]{
		Start: keyState{failures: 2},
		Always: func(s keyState) error {
			if s.made > 1 {
				return errMadeTwice
			}
			for i, at := range s.at {
				if at == keyAnswered && s.answer[i] != 1 {
					return errResult
				}
			}
			return nil
		},
		Ends: func(s keyState) bool { return s.at == [2]keyAt{keyAnswered, keyAnswered} },
	}
	for i := range int8(2) {
		name := fmt.Sprint("request ", i+1)
		m.Processes = append(m.Processes, process{Name: name, Step: f.request(i)},
			process{Name: name, Step: f.fail(i, false)}, process{Name: name, Step: f.fail(i, true)})
	}
	return m
}

func TestAKeyMakesOneMessage(t *testing.T) {
	t.Parallel()
	proves(t, keyFault("").model())
	catches(t, keyLooks.model(), errMadeTwice, 7)
	catches(t, keyApart.model(), errResult, 4)
}
