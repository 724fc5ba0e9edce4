package page

import "fmt"

// models counts the models of a kind.
func (v view) models(kind string) int {
	n := 0
	for _, m := range v.Models {
		if m.Kind == kind {
			n++
		}
	}
	return n
}

// Cost is the strip below the answer: the mixtures, and what the study's models cost in tokens, the
// point of the method. Proxies share their units, references share nothing.
func (v view) Cost() []Fact {
	compared := len(v.Mixtures)
	for _, c := range v.Choices {
		compared = max(compared, c.Candidates)
	}
	t := v.Training
	facts := []Fact{{"mixtures compared", whole(compared)}}
	if t.Possible > float64(compared) {
		facts[0] = Fact{"possible mixtures, of which " + whole(compared) + " are compared here", amount(t.Possible)}
	}
	if t.Units > 0 {
		models := plural(v.models("unit"), "unit model")
		if t.Partitions > 0 { // of several units, trained whole for the proxies that average such models
			models += " and " + plural(v.models("partition"), "partition model")
		}
		facts = append(facts, Fact{"tokens to train " + models + ", enough for every mixture", amount(float64(t.Units + t.Partitions))})
	}
	if t.All > 0 && !v.allTrained() {
		facts = append(facts, Fact{"tokens to train a reference model on every mixture instead", amount(t.All)})
	}
	if t.References > 0 {
		models := plural(v.models("reference"), "reference model")
		if v.allTrained() {
			models += ", one on every mixture,"
		}
		facts = append(facts, Fact{"tokens to train " + models + " to check the proxies", amount(float64(t.References))})
	}
	return facts
}

// allTrained reports whether every possible mixture has a reference model.
func (v view) allTrained() bool {
	n := v.models("reference")
	return n > 0 && float64(n) >= v.Training.Possible && n >= len(v.Mixtures)
}

// Saving puts the strip into words: how much training the proxies saved, and what the comparison
// leaves out.
func (v view) Saving() string {
	t := v.Training
	proxies := float64(t.Units + t.Partitions)
	if proxies == 0 || t.All == 0 {
		return ""
	}
	ratio := t.All / proxies
	s := fmt.Sprintf("A reference model on every possible mixture would take %s times the training that the proxies took", times(ratio))
	if ratio < 1.05 {
		s += ": with so few mixtures, proxies save nothing"
	}
	s += "."
	if t.References > 0 {
		s += " The reference models were trained only to check them."
	}
	if t.Seed > 0 {
		return s + fmt.Sprintf(" These counts leave out evaluation and the seed model from which all models start (%s tokens).", amount(float64(t.Seed)))
	}
	return s + " Evaluation is not counted."
}
