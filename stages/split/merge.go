package split

import (
	"fmt"
	"maps"
	"slices"

	"ablate/specs/words"
	"ablate/stages/kind"
)

// merge joins the partitions with less than half a unit into one, otherPartition, documents in
// their order as in any other. A partition that grows to half a unit leaves it again, which changes
// the units of otherPartition; where that must not be, the study names what belongs together with
// fold, which looks at no size. A partition that bears that name by itself and is not small would
// be another thing of the same name, which is an error.
func (s *splitting) merge() error {
	var small []string
	for _, name := range s.names {
		p := s.partitions[name]
		// The comparison of cutUnits.
		if size := trainingTokens(p.training); p.kept && size < s.params.UnitTokens-size {
			small = append(small, name)
		}
	}
	if len(small) == 0 {
		return nil
	}
	other := s.partitions[kind.OtherPartition]
	if other != nil && !slices.Contains(small, kind.OtherPartition) {
		return fmt.Errorf("small: merge would call %d small partitions %q (%s), and documents have a partition of that name; give that another name with fold, as fold: {%s: others}, "+
			"or join the small ones by name with fold", len(small), kind.OtherPartition, words.Enumerate(small), kind.OtherPartition)
	}
	if other == nil {
		other = &partition{kept: true}
	}
	for _, name := range small {
		s.merged[name] = kind.OtherPartition
		if p := s.partitions[name]; p != other {
			other.training = append(other.training, p.training...)
			other.test = append(other.test, p.test...)
			other.validation = append(other.validation, p.validation...)
			delete(s.partitions, name)
		}
	}
	delete(s.merged, kind.OtherPartition)
	s.partitions[kind.OtherPartition] = other
	s.names = slices.Sorted(maps.Keys(s.partitions))
	return nil
}
