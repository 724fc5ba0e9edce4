// Package pipeline says what will be done: it compiles a study into a plan, a directed acyclic
// graph of steps, and tells what of it is there already, what it costs and why a step would run. It
// reads a cache through a function it is given and has no side effects; doing is the runner's work.
//
// Words. A step has a kind, parameters and inputs. Its definition is known at compile time and
// names its inputs by the step they come from; its key is known once the content of every input is
// known, and until then the step waits. Keys hold content digests, never names, so a step that runs
// again and yields the same bytes leaves everything after it as it was (early cut-off).
//
// A plan is complete when the units of every partition are known: because the study declares its
// catalogue or because the corpus has been split. Until then it holds the corpus steps and the seed
// model, and says so in Partial.
package pipeline

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"ablate/cache"
)

// File is one raw input file.
type File struct {
	Path   string // where it lies; never hashed
	Name   string // below its corpus; hashed where the result depends on it
	Size   int64
	Digest cache.Digest
	Index  *File // of an array of ids, the index of its documents; nil: it has none

	Format string // of its content, where neither the study nor its name says it

	Missing bool // it is not there; Digest tells it from others, and no step that reads it has a key
}

// MissingFile stands for a raw file that is not there, so that a study can be planned: what names
// it, such as its pattern.
func MissingFile(name string) File {
	return File{Name: name, Digest: cache.DigestOf([]byte("missing\x00" + name)), Missing: true}
}

// Input is one input of a step: a raw file or an output of an earlier step.
type Input struct {
	Role   string
	File   *File // set for raw files
	Step   int   // otherwise the step it comes from
	Output string
}

// Step is one node of a plan.
type Step struct {
	ID     string // for people; unique in the plan
	About  About  // what it is about
	Kind   string
	Params json.RawMessage // canonical: struct order, sorted maps
	Inputs []Input
	Cost   Cost

	definition       cache.Digest // identity before inputs are known
	criticalPathCost int64        // cost of the dearest chain from here to a result, for the runner's priority
}

// FileNames are the names of the raw files that a step reads documents from, in its order.
func (s *Step) FileNames() []string {
	var names []string
	for _, in := range s.Inputs {
		if in.File != nil && strings.HasPrefix(in.Role, "file.") {
			names = append(names, in.File.Name)
		}
	}
	return names
}

// Cost is what a step is expected to take, from its parameters alone.
type Cost struct {
	Tokens int64   // trained on, in whole batches
	Asked  int64   // tokens asked for, which plans count
	Bytes  int64   // read from raw files
	Hours  float64 // of the tokens asked for, from the study's cost
	Disk   int64   // bytes that the step leaves in the cache, about

	Parameters int64 // of the model that is trained
}

// Plan is a study compiled: steps in an order in which each comes after its inputs.
type Plan struct {
	Study   string
	Steps   []*Step
	Partial string   // why steps are missing, or empty
	Assumed string   // what the caller's catalogue takes for granted, or empty
	Missing []string // variables that are not set and name where raw data lies: such a plan can be looked at, not run
	// Numbered names the sets of partitions whose units go by numbers until the corpus has been
	// split, and by ranges then; or is empty.
	Numbered    []string
	Growth      []Growth        // of every set of mixtures that draws
	sampledFrom map[string]Pool // likewise
	Result      int             // index of the correlate step, -1 in a partial plan
	Summary     Summary

	Units    []Model // every unit model, in plan order
	Models   []Model // every trained model: seed, units, partition references, mixtures
	Mixtures []MixtureRef
	Splits   []SplitRef
	Scores   []ScoreRef // in the order of the scores that the comparison computes

	sources map[int][]string               // training -> what its sources are called
	texts   map[string]map[string]EvalText // ID of a split -> name of an input, or heldout -> the text that is in it
	index   map[string]int                 // ID -> index
	aliases map[string]string              // other names of units, references and averages -> theirs
	recipes map[string]recipe              // averages of parameters that are evaluated, by name
	losses  losses                         // what is known of the tables of evaluations
	atMost  size                           // what models, evaluations and the comparison were reckoned to be before they were made
}

// Model is a trained model of a plan.
type Model struct {
	Name string // "seed", "unit/areas/crypto/0", "seq/pairs/crypto+net"
	Role string // RoleSeed, RoleUnit, RolePartition, RoleSmall or RoleReference
	Step int
}

// MixtureRef is a selected mixture.
type MixtureRef struct {
	MixtureSet string   // set of mixtures
	Name       string   // components joined as package ident does
	Partitions []string // as people see them, each once
	UnitsOf    []int    // of each partition
	Tokens     int64    // training length of its reference model, trained or not
	Reference  bool     // whether the study trains it

	// Components are what the mixture is made of, in their order. One that is there twice counts
	// twice.
	Components []ComponentRef
}

// ComponentRef is a partition, or one of its units.
type ComponentRef struct {
	Name         string // that a list of mixtures takes
	PartitionSet string
	Partition    string
	Unit         int // -1: the whole partition
	Units        int
	Share        *big.Rat // of the mixture; nil: the mixture is a set and gives none
}

// ScoreRef says what a score is made of. Where two names ask for one evaluation, it is one step,
// and each score has its own name for the model.
type ScoreRef struct {
	MixtureSet, Mixture, Scorer, Set string
	Domains                          []DomainRef
}

// EvalText is text that no unit may hold, for models are evaluated on it: an evaluation set, or
// what is held out of a corpus.
type EvalText struct{ EvalSet, Corpus string }

// EvalText says which text the ledger of a split means by the name of an input, such as against.3,
// or by heldout.
func (p *Plan) EvalText(split int, name string) (EvalText, bool) {
	t, ok := p.texts[p.Steps[split].ID][name]
	return t, ok
}

// Sources are the names of what a training takes its shares of text from, in their order: components
// of a mixture, or a unit, partition or mixture as a whole, and behind them the corpus that is
// replayed. None of a training without shares.
func (p *Plan) Sources(training int) []string { return p.sources[training] }

// DomainRef is a domain of an evaluation set: the set itself or, in domain, a partition of the
// mixture.
type DomainRef struct {
	Name  string
	Evals []EvalRef // whose scores are averaged
}

// EvalRef is the evaluation of a model.
type EvalRef struct {
	Model string // trained, or an average, as this score calls it
	Step  int
}

// SplitRef is a split step and the partition set it cuts.
type SplitRef struct {
	PartitionSet string // partition set, or the corpus for a corpus taken whole
	Step         int
	Seed         bool // a corpus taken whole
}

// Summary is the account of a plan, known at compile time. Tokens are those asked for: a training
// takes whole batches, so a bit more.
type Summary struct {
	MixturesPossible   *big.Int
	MixturesSelected   int
	MixturesCovered    *big.Int // those possible of no other components than the mixtures selected: with their units they need no training
	ComponentsSelected int      // components of the mixtures selected, each once
	BaseUnits          int      // units of which the mixtures are made
	Selected           Total    // unit models of the mixtures selected
	Seed               Total    // seed models
	Units              Total    // unit models
	Partitions         Total    // components' own models, which some proxies are made of
	Small              Total    // models of the mixtures selected at the study's own scale, where references have another
	References         Total    // reference models of the mixtures selected
	Shared             Total    // those of them that are units, partitions or other references already
	TokensReferenceOf  *big.Int // of a model of every mixture possible
	HoursReferenceOf   float64
	BytesReferenceOf   *big.Int // of their checkpoints
}

// Find returns the index of the step with the given ID, or of the only step whose ID ends in it.
// The number of a unit does for its range.
func (p *Plan) Find(id string) (int, error) {
	if i, ok := p.index[p.meant(id)]; ok {
		return i, nil
	}
	var found []string
	for _, s := range p.Steps {
		if hasSuffixPath(s.ID, id) {
			found = append(found, s.ID)
		}
	}
	for name := range p.aliases {
		of := p.meant(name)
		if _, ok := p.index[of]; ok && hasSuffixPath(name, id) && !slices.Contains(found, of) {
			found = append(found, of)
		}
	}
	slices.Sort(found)
	switch len(found) {
	case 1:
		return p.index[found[0]], nil
	case 0:
		all := slices.Sorted(maps.Keys(p.index))
		if same, ok := reordered(id, append(slices.Collect(maps.Keys(p.aliases)), all...)); ok && same != id {
			return p.Find(same)
		}
		near := alike(id, all)
		return 0, fmt.Errorf("no step %q in study %s; did you mean %s? (`ablate plan --steps` lists them)", id, p.Study, near)
	}
	return 0, fmt.Errorf("step %q could be any of %d: %s", id, len(found), listSome(found, 5))
}

// meant is the ID or the name of an average that a name leads to: by the numbers of units, or as
// what a shared step was wanted for later.
func (p *Plan) meant(name string) string {
	for range 2 {
		if _, ok := p.index[name]; ok {
			break
		}
		if of, ok := p.aliases[name]; ok {
			name = of
		}
	}
	return name
}

// CriticalPathCost is the cost of the dearest chain of steps from step i to a result, in tokens
// plus one per step: what people wait for longest.
func (p *Plan) CriticalPathCost(i int) int64 { return p.Steps[i].criticalPathCost }
