package kind

// Roles say what a step makes, of its kind. Those of trainings are the roles of models, too.
const (
	RoleCorpus  = "corpus"         // tokenize: files of a corpus
	RoleEvalSet = "evaluation set" // tokenize: an evaluation set
	RoleUnits   = "units"          // split: a set of partitions
	RoleWhole   = "whole corpus"   // split: a corpus taken whole, for a seed model

	RoleSeed      = "seed"      // train: the common start
	RoleUnit      = "unit"      // train: a unit
	RolePartition = "partition" // train: a partition of several units
	RoleSmall     = "small"     // train: a mixture at the study's scale where references have another
	RoleReference = "reference" // train: a mixture
)
