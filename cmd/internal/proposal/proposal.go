// Package proposal writes a first study for files that a person names: it looks at the files, and
// proposes partitions, an order, base units, a tokenizer, a model, mixtures and evaluation sets,
// each with the numbers that it comes from. It asks nothing and prints nothing.
//
// Where something is not found, such as a field that holds the text, [New] returns an error that
// says what there is and how to go on. It never falls back to a value that the files do not
// support.
//
// Words: a *source* is the files that one option names. A *field* is a place of the documents'
// metadata: a path of JSON Lines, a column of a table, a part of the name of a text file.
//
// Not promised: that a study measures what its writer wants to know. It is a start, to be changed.
package proposal

import (
	"context"
	"fmt"

	"ablate/specs"
	"ablate/specs/arch"
)

// A Request says what a study is wanted for.
type Request struct {
	Study string // its name
	Dir   string // folder of the study's file, which its file names start from

	From []string // files, folders or patterns of the text to divide, from the working directory
	Seed []string // the same for the seed model's text; empty: the text to divide
	Eval []Named  // evaluation sets

	Text, ID, By, Order string // fields that the person names; empty: they are looked for

	Minutes float64 // of this machine that the whole study may take
	Schema  string  // where the study's JSON Schema lies, from Dir

	Lookup func(name string) (value string, ok bool)               // of ${NAME} in patterns
	Speed  func(m arch.Model) (tokensPerSecond float64, err error) // of training on this machine
}

// Named is an evaluation set.
type Named struct {
	Name string
	From string
}

// A Proposal is a study with its reasons.
type Proposal struct {
	Notes []string // what was read and what was left out, a sentence each, for the person who asked

	req  Request
	main *source
	seed *source // nil: the same as main
	eval []*source

	fields []*field // every field, with its values
	by     *field   // what partitions the documents
	others []*field // that could do it as well
	order  *field   // nil: identities order the documents
	absent string   // what stands for a value that a document lacks; empty: the usual word
	more   []*part  // partitions that are left out, the largest first
	sizing          // partitions and units
	model  modelChoice
}

// New looks at the files and proposes a study.
func New(ctx context.Context, req Request) (*Proposal, error) {
	p := &Proposal{req: req}
	for _, step := range []func(context.Context) error{p.sources, p.chooseFields, p.choosePartitions, p.chooseSizes, p.chooseModel} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	if _, err := specs.Parse(req.Study+".yaml", p.YAML(), req.Dir); err != nil {
		return nil, fmt.Errorf("internal error: the proposed study is not valid: %w", err)
	}
	for _, s := range p.all() {
		p.note("%s: %s.", s.option, s.bound())
	}
	p.note("%s by %s with %s of %s tokens, and a model of %s parameters, which take about %s on this machine; the comments in the study say why.",
		plural(len(p.parts), "partition"), show(p.by.label()), plural(p.units(), "unit"), count(p.unit), count(float64(p.model.parameters)), duration(p.model.minutes))
	return p, nil
}

// note adds a sentence for the person who asked.
func (p *Proposal) note(format string, args ...any) {
	p.Notes = append(p.Notes, fmt.Sprintf(format, args...))
}
