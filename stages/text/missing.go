package text

import (
	"ablate/stages/internal/corpus"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

func missingOf(c corpus.Counts, read kind.Read) tables.Missing {
	m := tables.Missing{Documents: c.Kept, Absent: absent(c)}
	for _, n := range m.Absent {
		if n == m.Documents {
			lacks(&m, c, read)
		}
	}
	if m.Documents > 0 {
		return m
	}
	lacks(&m, c, read)
	m.Read, m.Dropped, m.Between, m.Values = c.Read, c.Dropped, read.Between, map[string]tables.ValueRange{}
	for name, v := range c.Values {
		r := tables.ValueRange{Other: v.Other}
		if v.Numbers {
			r.Least, r.Most = &v.Least, &v.Most
		}
		if r != (tables.ValueRange{}) {
			m.Values[name] = r
		}
	}
	return m
}

// lacks takes down where metadata were looked for that no document has.
func lacks(m *tables.Missing, c corpus.Counts, read kind.Read) {
	m.Metadata = read.Metadata
	if names := read.Format == corpus.FormatText || read.Format == corpus.FormatToken; names && len(c.Paths) > 0 {
		m.File = c.Paths[0]
	} else {
		m.Paths = c.Paths
	}
}

// absent counts by name the kept documents that lack metadata.
func absent(c corpus.Counts) map[string]int64 {
	var out map[string]int64
	for name, v := range c.Values {
		if v.Absent > 0 {
			if out == nil {
				out = map[string]int64{}
			}
			out[name] = v.Absent
		}
	}
	return out
}
