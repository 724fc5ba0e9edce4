package kind

import (
	"encoding/json"
	"fmt"
)

// Arithmetic is a way to compute models: in what order sums are taken, in what precision, on what
// machine. Another arithmetic gives other bits, so it is in the parameters of trainings and
// evaluations, and so in their keys: results of two are never mistaken for one another, and a plan
// has the same keys on every machine, whatever engines that machine has. Which program and machine
// carries it out is no part of a key; package lm/engines has the engines of this program.
type Arithmetic struct {
	Name     string
	Equality Equality
}

// Equality says when two results of one step are the same, for an audit that executes the step
// again.
type Equality uint8

const (
	// SameBytes: every byte is the same, whoever executes the step. Package lm/cpu says what that
	// rests on.
	SameBytes Equality = iota
	// SameDevice: every byte is the same on devices of one model only. Other bytes prove nothing,
	// so that an audit executes no such step.
	SameDevice
)

// Exact is the arithmetic of the processor's chains of sums. Parameters leave it out, because it is
// the only one there was at first, so that older keys hold.
const Exact = "exact"

// Arithmetics are all that parameters can name. A plan may name one that this program has no engine
// for.
var Arithmetics = []Arithmetic{{Exact, SameBytes}}

// FindArithmetic returns the arithmetic of parameters, which leave out the exact one.
func FindArithmetic(name string) (Arithmetic, error) {
	if name == "" {
		name = Exact
	}
	var names []string
	for _, a := range Arithmetics {
		if a.Name == name {
			return a, nil
		}
		names = append(names, a.Name)
	}
	return Arithmetic{}, fmt.Errorf("unknown arithmetic %q; this program knows %q", name, names)
}

// ArithmeticOf returns that of a step's parameters: the exact one for kinds that compute no model.
func ArithmeticOf(params json.RawMessage) (Arithmetic, error) {
	var p struct {
		Arithmetic string `json:"arithmetic"`
	}
	if err := json.Unmarshal(params, &p); err != nil {
		return Arithmetic{}, fmt.Errorf("internal error: parameters %s: %w", params, err)
	}
	return FindArithmetic(p.Arithmetic)
}
