package study

import (
	"fmt"
	"maps"
	"slices"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/specs"
)

// concerns say what a study that is valid most likely does not mean, each with its place: text that
// models are trained on and evaluated on, and a corpus that nothing reads.
func concerns(s *specs.Study, src pipeline.Sources) (lines []string) {
	trained := trainedOn(s)
	for _, name := range slices.Sorted(maps.Keys(s.Corpora)) {
		used := len(trained[name]) > 0 || s.Tokenizer.Train != nil && s.Tokenizer.Train.On == name
		if at := s.At("corpora", name); !used && at.File == s.Path { // a study that is extended has corpora for others, too
			lines = append(lines, fmt.Sprintf("%s: nothing in the study uses corpus %s: no partition set, no seed model and no tokenizer", at, name))
		}
	}
	if slices.Contains(s.Decontaminate.Against, "eval") {
		return lines
	}
	for _, set := range slices.Sorted(maps.Keys(src.EvalSets)) {
		for _, name := range slices.Sorted(maps.Keys(trained)) {
			n, first := sameFiles(src.EvalSets[set], src.Corpora[name])
			if n == 0 {
				continue
			}
			lines = append(lines, fmt.Sprintf("%s: evaluation set %s and corpus %s, which %s trained on, have %d of the set's %d files in common, such as %s: models are scored on text that they were trained on. "+
				"Exclude the files from the set or from the corpus with the key exclude, or remove their text from training with decontaminate: {against: [eval]}",
				s.At("eval", "out_of_domain", set), set, name, trained[name], n, len(src.EvalSets[set]), first))
		}
	}
	return lines
}

// trainedOn are the corpora that models read, and which models, with the verb.
func trainedOn(s *specs.Study) map[string]string {
	of := map[string]string{}
	for _, seed := range []*specs.SeedModel{s.SeedModel, s.Reference.SeedModel} {
		if seed != nil {
			of[seed.On] = "the seed model is"
		}
	}
	for _, p := range s.Partitions {
		of[p.Corpus] = "unit models are"
	}
	return of
}

// sameFiles counts the files of a that b has, too, by their content, and names the first. Files
// that are only stood for have no content.
func sameFiles(a, b []pipeline.File) (n int, first string) {
	have := map[cache.Digest]bool{}
	for _, f := range b {
		have[f.Digest] = f.Digest != cache.Digest{}
	}
	for _, f := range a {
		if !have[f.Digest] {
			continue
		}
		if n++; n == 1 {
			first = f.Name
		}
	}
	return n, first
}

// Notes say which files were passed over, and what the study most likely does not mean, before
// anything is computed.
func (p *Compiled) Notes() []string {
	return append(slices.Clone(p.Sources.Notes), concerns(p.Study, p.Sources)...)
}
