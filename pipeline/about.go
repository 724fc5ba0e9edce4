package pipeline

import "ablate/stages/kind"

// About says what a step is about, as far as it is about one thing: whoever wants to know reads it
// here and takes no ID apart. A step that several names lead to, such as the model of a unit that
// is a mixture of its own as well, is about what it was first wanted for.
type About struct {
	Role string // empty where the kind says it all

	Corpus       string // of RoleCorpus and RoleWhole
	EvalSet      string // of RoleEvalSet; of an evaluation, empty for the test documents of a partition
	PartitionSet string // of RoleUnits, RoleUnit and RolePartition; of an evaluation on test documents
	Partition    string // of RoleUnit and RolePartition; of an evaluation on test documents
	Unit         int    // of RoleUnit, from 0
	MixtureSet   string // of RoleSmall and RoleReference
	Mixture      string // likewise
	Replicate    int    // of a training, from 0
	Scores       string // of an evaluation: the first part of the name of what is evaluated, such as unit or micro
}

// family names the steps that are about things of one sort, for a drawing: "unit/areas",
// "eval/micro".
func (s *Step) family() string {
	a := s.About
	switch a.Role {
	case kind.RoleCorpus:
		return tokenizeID(a.Corpus)
	case kind.RoleEvalSet:
		return "tokenize/" + evalSets
	case kind.RoleSeed, kind.RoleSmall:
		return a.Role
	case kind.RoleUnit:
		return "unit/" + a.PartitionSet
	case kind.RolePartition:
		return "part/" + a.PartitionSet
	case kind.RoleReference:
		return "seq/" + a.MixtureSet
	}
	if a.Scores != "" {
		return s.Kind + "/" + a.Scores
	}
	return s.ID
}

// Evaluates says whether the step scores models on a text: by running them, or by mixing the
// probabilities that earlier evaluations left.
func (s *Step) Evaluates() bool { return s.Kind == kind.Eval || s.Kind == kind.Ensemble }

// inWords says what a step is about, for messages.
func (s *Step) inWords() string {
	a := s.About
	switch a.Role {
	case kind.RoleCorpus:
		return "the text of corpus " + a.Corpus
	case kind.RoleEvalSet:
		return "the text of evaluation set " + a.EvalSet
	case kind.RoleUnit:
		return "the model of a unit of partition " + quoted(a.Partition) + " of " + a.PartitionSet
	case kind.RolePartition:
		return "the model of partition " + quoted(a.Partition) + " of " + a.PartitionSet
	case kind.RoleSmall, kind.RoleReference:
		return "the model of a mixture " + quoted(a.Mixture) + " of " + a.MixtureSet
	}
	switch {
	case a.Scores != "" && a.EvalSet != "":
		return "an evaluation on set " + a.EvalSet
	case a.Scores != "":
		return "an evaluation on the test documents of partition " + quoted(a.Partition) + " of " + a.PartitionSet
	}
	return "a step of kind " + s.Kind
}
