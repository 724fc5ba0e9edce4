package pipeline

import (
	"errors"
	"fmt"
	"strings"

	"ablate/specs"
	"ablate/stages/kind"
)

// Origin is where in a study a key input of step i comes from, as the keys that lead there; nil for
// what no study says: the kind, its version, and what an earlier step made.
func (st *State) Origin(study *specs.Study, i int, label string) []string {
	s := st.Plan.Steps[i]
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
	k, err := st.Kinds.Named(s.Kind)
	if err != nil {
		return nil // a step of no kind of ours has no key either
	}
	for prefix := param; prefix != ""; {
		if to, ok := k.Origins[prefix]; ok {
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

// Blame puts the place in the study before each failure of step i that a parameter of the step is
// to blame for.
func (st *State) Blame(study *specs.Study, i int, err error) error {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		var placed []error
		for _, one := range all.Unwrap() {
			placed = append(placed, st.Blame(study, i, one))
		}
		return errors.Join(placed...)
	}
	var param *kind.ParamError
	if !errors.As(err, &param) {
		return err
	}
	path := st.Origin(study, i, "param "+param.Param)
	if path == nil {
		return err
	}
	return fmt.Errorf("%s: %s: %w", study.At(path...), strings.Join(path, "."), err)
}

// path writes out an entry of kind.Kind.Origins.
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
	if s.Kind == kind.Train && to == "tokens" && s.About.Role != kind.RoleSeed {
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
	case kind.RoleCorpus:
		return []string{"corpora", a.Corpus}
	case kind.RoleEvalSet:
		return []string{"eval", "out_of_domain", a.EvalSet}
	case kind.RoleUnits:
		return []string{"partitions", a.PartitionSet}
	case kind.RoleWhole:
		if study.SeedModel == nil || study.SeedModel.On != a.Corpus {
			return []string{"train", "replay"}
		}
		return []string{"seed_model"}
	case kind.RoleSeed:
		return []string{"seed_model"}
	case kind.RoleUnit, kind.RolePartition, kind.RoleSmall, kind.RoleReference:
		return []string{"train"}
	}
	if t := study.Tokenizer.Train; s.Kind == kind.Tokenizer && t != nil {
		return []string{"corpora", t.On}
	}
	return nil
}
