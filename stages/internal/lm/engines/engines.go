// Package engines lists the engines of this program by the arithmetic that each computes, and opens
// them. The stages import it in place of any engine. It is a package of its own because an engine
// imports package lm.
//
// A new engine is its package, a line of List, a line of kind.Arithmetics, and a call of
// enginetest.Test that holds it to the door.
package engines

import (
	"fmt"

	"ablate/specs/arch"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/lm/cpu"
	"ablate/stages/kind"
)

// Engine is how an arithmetic is carried out by this program.
type Engine struct {
	Arithmetic string // its name in kind.Arithmetics

	// Open returns an engine for a model, its parameters and moments zero until lm.Init, lm.Load or
	// Fill.
	Open func(m arch.Model, opt lm.Options) (lm.Engine, error)

	// TrainingMemory and EvaluationMemory say what an engine takes whose passes are B sequences of
	// T tokens. They allocate nothing of the kind.
	TrainingMemory, EvaluationMemory func(m arch.Model, B, T int, opt lm.Options) (lm.Memory, error)
}

// List has the engines of this program. It is a value, not a registry that packages add themselves
// to: what is there can be read here. Tests add engines of their own.
var List = []Engine{
	{kind.Exact, cpu.New, cpu.TrainingMemory, cpu.EvaluationMemory},
}

// Find returns the engine that carries out an arithmetic of parameters. A word that is no
// arithmetic, and an arithmetic that has no engine in this program, are errors that list those
// there are.
func Find(arithmetic string) (Engine, error) {
	a, err := kind.FindArithmetic(arithmetic)
	if err != nil {
		return Engine{}, err
	}
	var names []string
	for _, e := range List {
		if e.Arithmetic == a.Name {
			return e, nil
		}
		names = append(names, e.Arithmetic)
	}
	return Engine{}, fmt.Errorf("arithmetic %q has no engine in this program, which has engines for %q", a.Name, names)
}

// Open opens the engine of an arithmetic.
func Open(arithmetic string, m arch.Model, opt lm.Options) (lm.Engine, error) {
	e, err := Find(arithmetic)
	if err != nil {
		return nil, err
	}
	return e.Open(m, opt)
}
