package study

import (
	"time"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/runner"
)

// Event is what a person should know while an operation goes on: a Note, a Warning, or one of the
// events that an operation documents.
type Event any

// Note says something that is no mistake.
type Note struct{ Text string }

// Warning says what is most likely not meant, or what could not be done and does not end the
// operation.
type Warning struct{ Text string }

// Progress is an event of steps that are carried out.
type Progress struct {
	Study string
	Event runner.Event
	Step  string // that it is about; "": none

	Left *time.Duration // that the run will go on for, as it is going; nil: not known
}

// StepsEnded is the event that nothing more is carried out of a study for now, well or not.
type StepsEnded struct {
	Study     string
	Conflicts []*cache.Conflict // steps that gave other bytes than another run's
	Moved     Moved
}

// Watch gives a function that tells each event of a study's steps. left says how long the run will
// go on for after an event; nil: nobody knows.
func (s *Session) Watch(study string, left func(runner.Event) *time.Duration) func(runner.Event) {
	var plan *pipeline.Plan
	return func(e runner.Event) {
		if e.State != nil {
			plan = e.State.Plan
		}
		p := Progress{Study: study, Event: e}
		if e.Step >= 0 {
			p.Step = plan.Steps[e.Step].ID
		}
		if left != nil {
			p.Left = left(e)
		}
		s.Say(p)
	}
}

// Say tells an event of an operation.
func (s *Session) Say(e Event) {
	if s.Tell != nil {
		s.Tell(e)
	}
}
