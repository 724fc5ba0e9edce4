package reporting

import (
	"fmt"
	"slices"
	"strings"

	"ablate/cache"
	"ablate/cmd/internal/study"
	"ablate/pipeline"
)

// raised says which kinds of step have had another version in the cache than in this program, of
// those with steps that are not there: the usual reason why the report of an old run is incomplete.
// "" where there is none.
func raised(p *study.Compiled) string {
	var entries []*cache.Entry
	for e, err := range p.Cache.Entries() {
		if err == nil { // a damaged entry explains nothing; lookups report it
			entries = append(entries, e)
		}
	}
	var out []string
	for i, s := range p.State.Status {
		if s != pipeline.Run {
			continue
		}
		for _, d := range p.State.Explain(i, entries).Because[0].Differs {
			change := fmt.Sprintf("%s from version %s to %s", p.Plan.Steps[i].Kind, d.Old, d.New)
			if d.Label == "kind version" && d.Old != "" && !slices.Contains(out, change) {
				out = append(out, change)
			}
		}
	}
	if len(out) == 0 {
		return ""
	}
	return ", because this version of ablate raised the kind " + strings.Join(out, ", and ")
}
