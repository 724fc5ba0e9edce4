package pipeline

import (
	"strings"

	"ablate/specs"
	"ablate/stages/kind"
)

// origins says which keys of a study a parameter comes from, by kind of step. The longest prefix that ends where a name ends counts; "*"
// stands for the step's own part of the study (its corpus, set of partitions or training), and what follows the prefix is appended.
var origins = map[string]map[string]string{
	kind.Tokenizer: {
		"vocab": "tokenizer.train.vocab", "min_frequency": "tokenizer.train.min_frequency", "bytes": "tokenizer.train.bytes",
		"read": "*+", "read.names": "*.files",
	},
	kind.Tokenize: {
		"read": "*+", "read.names": "*.files", "paragraph": "decontaminate.paragraph", "min_tokens": "decontaminate.min_tokens", "non_empty": "*",
		"duplicate": "*.bad.duplicate",
	},
	kind.Split: {
		"by": "*.by", "fold": "*.fold+", "order": "*.order", "only": "*.only", "except": "*.except", "small": "*.small", "duplicate": "corpora", "declared": "*.units+",
		"unit_tokens": "*.unit.tokens", "validation": "heldout.validation", "test": "heldout.test", "seed": "heldout.seed",
		"against": "decontaminate.against", "elsewhere": "heldout+", "bloom": "decontaminate+", "bloom.false_positives": "decontaminate.false_positives",
		"overlap": "decontaminate.overlap", "common": "decontaminate.common", "eos": "tokenizer", "vocab": "tokenizer",
	},
	kind.Train: {
		"model": "model+", "optimizer": "optimizer+", "optimizer.lr": "*.lr", "optimizer.warmup": "*.warmup", "optimizer.schedule": "*.schedule",
		"optimizer.final_lr": "*.final_lr", "tokens": "*.tokens", "batch": "*.batch", "sampling": "train.sampling", "seed": "*.seed",
		"start": "train.optimizer_state", "moments": "train.optimizer_state", "precision": "*.precision",
	},
	kind.Merge: {"weights": "mixtures"},
	kind.Eval: {
		"model": "model+", "weights": "mixtures", "documents": "eval.documents", "tokens": "eval.tokens", "eos": "tokenizer",
	},
	kind.Correlate: {
		"scores": "mixtures", "sets": "eval.out_of_domain", "proxies": "proxies", "resamples": "correlate.resamples", "level": "correlate.level",
		"seed": "correlate.seed",
	},
}

// Origin is where in a study an ingredient of a step comes from, as the keys that lead there; nil for what no study says: the kind, its
// version, and what an earlier step made.
func Origin(study *specs.Study, s *Step, label string) []string {
	if strings.HasPrefix(label, "input ") {
		for _, in := range s.Inputs {
			if in.File == nil || label != "input "+in.Role {
				continue
			}
			if in.Role == "tokenizer" {
				return []string{"tokenizer", "file"}
			}
			return append(own(study, s), "files")
		}
		return nil
	}
	param, ok := strings.CutPrefix(label, "param ")
	if !ok {
		return nil
	}
	for prefix := param; prefix != ""; {
		if to, ok := origins[s.Kind][prefix]; ok {
			rest := strings.Trim(strings.TrimPrefix(param, prefix), ".")
			return path(study, s, to, rest)
		}
		i := strings.LastIndexAny(prefix, ".[")
		if i < 0 {
			return nil
		}
		prefix = prefix[:i]
	}
	return nil
}

// path writes out an entry of origins.
func path(study *specs.Study, s *Step, to, rest string) []string {
	to, more := strings.CutSuffix(to, "+")
	var keys []string
	if to == "*" || strings.HasPrefix(to, "*.") {
		keys = own(study, s)
		to = strings.TrimPrefix(strings.TrimPrefix(to, "*"), ".")
	}
	if to != "" {
		keys = append(keys, strings.Split(to, ".")...)
	}
	if s.Kind == kind.Train && to == "tokens" && s.About.Role != RoleSeed {
		keys[len(keys)-1] = "tokens_per_unit"
	}
	if name, _, _ := strings.Cut(rest, "["); more && name != "" {
		keys = append(keys, strings.Split(strings.TrimSuffix(name, ".length"), ".")...)
	}
	return keys
}

// own is the step's own part of a study.
func own(study *specs.Study, s *Step) []string {
	switch a := s.About; a.Role {
	case RoleCorpus:
		return []string{"corpora", a.Corpus}
	case RoleEvalSet:
		return []string{"eval", "out_of_domain", a.EvalSet}
	case RoleUnits:
		return []string{"partitions", a.PartitionSet}
	case RoleWhole, RoleSeed:
		return []string{"seed_model"}
	case RoleUnit, RolePartition, RoleSmall, RoleReference:
		return []string{"train"}
	}
	if t := study.Tokenizer.Train; s.Kind == kind.Tokenizer && t != nil {
		return []string{"corpora", t.On}
	}
	return nil
}
