package stages

import (
	"maps"
	"slices"
)

// merge joins the partitions with less than half a unit into one, otherPartition, documents in their order as in any other. A partition
// that grows to half a unit leaves it again, which changes the units of otherPartition; where that must not be, the study names what
// belongs together with fold, which looks at no size. A partition that bears that name by itself is joined, too.
func (s *splitting) merge() {
	var small []string
	for _, name := range s.names {
		p := s.partitions[name]
		// The comparison of cutUnits.
		if size := trainingTokens(p.training); p.kept && size < s.params.UnitTokens-size {
			small = append(small, name)
		}
	}
	if len(small) == 0 {
		return
	}
	other := s.partitions[otherPartition]
	if other == nil || !other.kept {
		other = &partition{kept: true}
	}
	for _, name := range small {
		s.merged[name] = otherPartition
		if p := s.partitions[name]; p != other {
			other.training = append(other.training, p.training...)
			other.test = append(other.test, p.test...)
			other.validation = append(other.validation, p.validation...)
			delete(s.partitions, name)
		}
	}
	delete(s.merged, otherPartition)
	s.partitions[otherPartition] = other
	s.names = slices.Sorted(maps.Keys(s.partitions))
}
