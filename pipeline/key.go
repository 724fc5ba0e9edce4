package pipeline

import (
	"encoding/json"
	"fmt"

	"ablate/cache"
	"ablate/stages/kind"
)

// keyer lists key inputs. Most steps of a study share their parameters with thousands of others, so
// what is read out of parameters is kept. It is not safe for concurrent use.
type keyer struct {
	params map[string]*readParams // by the parameters themselves
	labels map[string]string      // of inputs, by role
}

// readParams is what a keyer reads out of parameters, each when it is first wanted.
type readParams struct {
	flat   []cache.KeyInput
	recipe *kind.Recipe // of a step that makes several models into one
}

// keptParams is the longest parameters worth keeping, in bytes: longer ones list all scores of a
// study, and are of one step.
const keptParams = 1 << 16

func newKeyer() *keyer { return &keyer{params: map[string]*readParams{}, labels: map[string]string{}} }

func (k *keyer) read(s *Step) *readParams {
	r := k.params[string(s.Params)]
	if r == nil {
		r = &readParams{}
		if len(s.Params) <= keptParams {
			k.params[string(s.Params)] = r
		}
	}
	return r
}

// keyInputs lists what goes into the key of a step of a kind, in words: kind, kind version, each
// parameter on a line of its own, each input's role and content digest. Nothing else may: no name,
// path, time or whitespace.
func (k *keyer) keyInputs(of kind.Kind, s *Step, inputs []cache.Digest) []cache.KeyInput {
	r := k.read(s)
	if r.flat == nil {
		r.flat = flatten(s.Params)
	}
	ing := kind.KeyInputs(of.Name, of.Version(), r.flat, len(s.Inputs))
	for i, in := range s.Inputs {
		label, ok := k.labels[in.Role]
		if !ok {
			label = kind.InputLabel(in.Role)
			k.labels[in.Role] = label
		}
		ing = append(ing, cache.KeyInput{Label: label, Value: inputs[i].String()})
	}
	return ing
}

// flatten is [kind.Flatten] of parameters that we made.
func flatten(params json.RawMessage) []cache.KeyInput {
	flat, err := kind.Flatten(params)
	if err != nil {
		panic(fmt.Sprintf("internal error: %v", err))
	}
	return flat
}

// canonical is the JSON form of parameters: struct fields in order, map keys sorted, no
// insignificant space.
func canonical(params any) json.RawMessage {
	b, err := json.Marshal(params)
	if err != nil {
		panic(fmt.Sprintf("internal error: parameters %#v: %v", params, err))
	}
	return b
}
