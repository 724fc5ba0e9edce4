package timing

import (
	"fmt"
	"math"
	"math/bits"
	"path"
	"strings"

	"ablate/cache/table"
	"ablate/cmd/internal/study"
	"ablate/pipeline"
	"ablate/stages/kind"
)

// What is taken for granted of text that no step has read yet.
const (
	// Bytes of a document where files hold many: an abstract or a short page.
	documentBytes = 1500
	// Bytes of text in a byte of a compressed file, and of a table, whose columns are compressed.
	expansion = 3
)

// worker says how much the steps of a plan do, in the units of their kinds.
type worker struct {
	p     *study.Compiled
	texts map[place]extent
	parts map[int]map[string]bool // step of a split -> its outputs that models are evaluated on

	perToken float64 // bytes of text; 0: not worked out yet
}

// place is an output of a step.
type place struct {
	step   int
	output string
}

// extent is how much text there is.
type extent struct {
	tokens, documents float64
	known             bool // it was counted
}

func newWorker(p *study.Compiled) *worker {
	w := &worker{p: p, texts: map[place]extent{}, parts: map[int]map[string]bool{}}
	for _, step := range p.Plan.Steps {
		if step.Kind != kind.Eval {
			continue
		}
		in := step.Inputs[len(step.Inputs)-1]
		if w.parts[in.Step] == nil {
			w.parts[in.Step] = map[string]bool{}
		}
		w.parts[in.Step][in.Output] = true
	}
	return w
}

// of is how much step i does, and how much more than the step itself counts: of compressed files it
// counts the bytes that it reads.
func (w *worker) of(i int) (work, expand float64) {
	step := w.p.Plan.Steps[i]
	switch step.Kind {
	case kind.Tokenizer, kind.Tokenize:
		n := w.fileBytes(i)
		if n == 0 {
			return 0, 1
		}
		text := w.textBytes(i)
		if step.Kind == kind.Tokenizer {
			return 2 * text, text / n // which reads its files twice
		}
		return text, text / n
	case kind.Split:
		return w.split(i), 1
	case kind.Train:
		return float64(step.Cost.Tokens), 1
	case kind.Correlate:
		return float64(len(step.Inputs)), 1
	}
	return 0, 1
}

// evaluation is how many tokens an evaluation scores, of at most so many documents and tokens.
func (w *worker) evaluation(i int, p kind.EvalParams) float64 {
	e := w.extent(w.p.Plan.Steps[i].Inputs[len(w.p.Plan.Steps[i].Inputs)-1])
	n := e.tokens
	if e.documents > float64(p.Documents) {
		n *= float64(p.Documents) / e.documents
	}
	if p.Tokens > 0 {
		n = math.Min(n, float64(p.Tokens))
	}
	return n
}

// fileBytes is the size of the raw files of a step.
func (w *worker) fileBytes(i int) float64 {
	n := 0.0
	for _, in := range w.p.Plan.Steps[i].Inputs {
		if in.File != nil {
			n += float64(in.File.Size)
		}
	}
	return n
}

// textBytes is about how much text the raw files of a step hold.
func (w *worker) textBytes(i int) float64 {
	n := 0.0
	for _, in := range w.p.Plan.Steps[i].Inputs {
		if in.File == nil {
			continue
		}
		size := float64(in.File.Size)
		switch strings.ToLower(path.Ext(in.File.Name)) {
		case ".gz", ".zst", ".bz2", ".xz", ".lz4", ".br", ".parquet":
			size *= expansion
		}
		n += size
	}
	return n
}

// split is about how many bytes of text a split writes.
func (w *worker) split(i int) float64 {
	n := 0.0
	for _, in := range w.p.Plan.Steps[i].Inputs {
		if in.File == nil && in.Output == kind.OutTokens && strings.HasPrefix(in.Role, "tokens") {
			n += w.textBytes(in.Step)
		}
	}
	return n
}

// extent is how much a text that models are evaluated on is: counted, where the step that makes it
// is done, and else worked out from the sizes of the raw files.
func (w *worker) extent(in pipeline.Input) extent {
	at := place{in.Step, in.Output}
	e, ok := w.texts[at]
	if !ok {
		if e, ok = w.counted(at); !ok {
			e = w.guessed(at)
		}
		w.texts[at] = e
	}
	return e
}

func (w *worker) counted(at place) (extent, bool) {
	if w.p.State.Status[at.step] != pipeline.Hit || w.p.Cache == nil {
		return extent{}, false
	}
	file, err := w.p.Output(at.step, at.output)
	if err != nil {
		return extent{}, false // a run will say so
	}
	t, err := table.OpenTokens(file)
	if err != nil {
		return extent{}, false
	}
	defer t.Close()
	return extent{float64(t.Len()), float64(t.Docs()), true}, true
}

func (w *worker) guessed(at place) extent {
	step := w.p.Plan.Steps[at.step]
	if step.Kind == kind.Tokenize {
		return w.inText(at.step, 1)
	}
	share := float64(w.p.Study.Heldout.Test) * w.partOf(at)
	var e extent
	for _, in := range step.Inputs {
		if in.File == nil && in.Output == kind.OutTokens && strings.HasPrefix(in.Role, "tokens") {
			part := w.inText(in.Step, share)
			e.tokens, e.documents = e.tokens+part.tokens, e.documents+part.documents
		}
	}
	return e
}

// partOf is the share that a partition has of the text of its split: as its units have of all, or
// as all others have.
func (w *worker) partOf(at place) float64 {
	for set, spec := range w.p.Study.Partitions {
		if w.p.Plan.Steps[at.step].About.PartitionSet != set {
			continue
		}
		units, own := 0, 0
		for name, n := range spec.Units {
			units += n
			if kind.TestOutput(name) == at.output {
				own = n
			}
		}
		if own > 0 {
			return float64(own) / float64(units)
		}
	}
	return 1 / float64(max(1, len(w.parts[at.step])))
}

// inText is about how much of a share of the raw files of a step that tokenizes is.
func (w *worker) inText(i int, share float64) extent {
	text := w.textBytes(i)
	e := extent{tokens: share * text / w.bytesPerToken()}
	for _, in := range w.p.Plan.Steps[i].Inputs {
		if in.File == nil {
			continue
		}
		name := strings.ToLower(in.File.Name)
		if strings.Contains(name, ".jsonl") || strings.Contains(name, ".json") || strings.Contains(name, ".parquet") || in.File.Format == "jsonl" {
			e.documents += share * float64(in.File.Size) / documentBytes
		} else {
			e.documents += share
		}
	}
	return e
}

// bytesPerToken is what the corpora that are tokenized show, and else what English text has with
// byte-level BPE of as many ids. The latter is a guess, and no measurement.
func (w *worker) bytesPerToken() float64 {
	if w.perToken > 0 {
		return w.perToken
	}
	var bytes, tokens float64
	for i, step := range w.p.Plan.Steps {
		if step.Kind != kind.Tokenize || w.p.State.Status[i] != pipeline.Hit {
			continue
		}
		if e, ok := w.counted(place{i, kind.OutTokens}); ok && e.tokens > 0 {
			bytes, tokens = bytes+w.textBytes(i), tokens+e.tokens
		}
	}
	if tokens > 0 {
		w.perToken = bytes / tokens
		return w.perToken
	}
	vocab := w.p.Sources.Vocab
	if t := w.p.Study.Tokenizer.Train; t != nil {
		vocab = int(t.Vocab)
	}
	w.perToken = math.Min(4.5, math.Max(1, 2.4+float64(0.3*float64(bits.Len(uint(max(256, vocab)))-10))))
	return w.perToken
}

// assumes says in words what is taken for granted of steps that are not done.
func (w *worker) assumes(steps []step) []string {
	compressed, unread := false, false
	for i, s := range steps {
		if s.hit {
			continue
		}
		if s.expand > 1.01 {
			compressed = true
		}
		if w.p.Plan.Steps[i].Kind == kind.Eval {
			in := w.p.Plan.Steps[i].Inputs[len(w.p.Plan.Steps[i].Inputs)-1]
			unread = unread || !w.texts[place{in.Step, in.Output}].known
		}
	}
	var list []string
	if compressed {
		list = append(list, fmt.Sprintf("a byte of a compressed file or of a table holds %d bytes of text", expansion))
	}
	if unread {
		list = append(list, fmt.Sprintf("evaluation text that is not tokenized yet has a token in %.1f bytes", w.bytesPerToken()))
	}
	return list
}
