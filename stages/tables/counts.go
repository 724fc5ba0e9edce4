package tables

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ablate/cache"
	"ablate/stages/internal/corpus"
)

// DroppedDuplicate is the reason of documents that are left out because their identity came before.
const DroppedDuplicate = "duplicate identity"

// Reading is what became of the documents of a corpus or an evaluation set, as far as they were
// read.
type Reading struct {
	Files, Read, Kept int64
	Dropped           map[string]int64 // by reason
	Absent            map[string]int64 // by name of metadata: kept documents that have none
	Twice             int64            // kept documents of an evaluation set whose identity came before
}

// Readings adds up the counts that steps left in these files.
func Readings(paths []string) (Reading, error) {
	var sum Reading
	for _, path := range paths {
		n, err := ReadCounts(path)
		if err != nil {
			return sum, err
		}
		sum.Files, sum.Read, sum.Kept, sum.Twice = sum.Files+n.Files, sum.Read+n.Read, sum.Kept+n.Kept, sum.Twice+n.Twice
		for reason, k := range n.Dropped {
			put(&sum.Dropped, reason, sum.Dropped[reason]+k)
		}
		for name, k := range n.Absent {
			put(&sum.Absent, name, sum.Absent[name]+k)
		}
	}
	return sum, nil
}

// Words says it in one line: kept, dropped by reason, absent by field.
func (r Reading) Words() string {
	files := "files"
	if r.Files == 1 {
		files = "file"
	}
	text := fmt.Sprintf("%d %s, %s", r.Files, files, InWords(r.Read, r.Kept, r.Dropped))
	var lacks []string
	for _, name := range slices.SortedFunc(maps.Keys(r.Absent), func(a, b string) int { return cmp.Or(cmp.Compare(r.Absent[b], r.Absent[a]), cmp.Compare(a, b)) }) {
		lacks = append(lacks, fmt.Sprintf("%s in %d", name, r.Absent[name]))
	}
	if len(lacks) > 0 {
		text += ", absent: " + strings.Join(lacks, ", ")
	}
	if r.Twice > 0 {
		text += fmt.Sprintf(", %d with the identity of one before", r.Twice)
	}
	return text
}

// Notable reports whether a person should know of it though nothing else is asked: something was
// left out or not found.
func (r Reading) Notable() bool { return r.Kept < r.Read || len(r.Absent) > 0 || r.Twice > 0 }

// ReadCounts reads a counts.json.
func ReadCounts(path string) (TokenizeCounts, error) {
	var n TokenizeCounts
	data, err := cache.ReadFile(path, MostText)
	if err != nil {
		return n, err
	}
	if err := json.Unmarshal(data, &n); err != nil {
		return n, fmt.Errorf("counts: %w", err)
	}
	return n, nil
}

// Catalogue is catalogue.json: the partitions of a split and how many units each has. A partition
// that is dropped as too small is not among them and says why; one that is merged says into which.
type Catalogue struct {
	Units   map[string]int    `json:"units"`
	Dropped map[string]string `json:"dropped,omitempty"`
	Merged  map[string]string `json:"merged,omitempty"`
}

// TokenizeCounts is counts.json.
type TokenizeCounts struct {
	Files    int64            `json:"files"`
	Read     int64            `json:"read"` // documents
	Kept     int64            `json:"kept"`
	Dropped  map[string]int64 `json:"dropped"` // by reason
	Bytes    int64            `json:"bytes"`   // of the text of kept documents
	Tokens   int64            `json:"tokens"`
	Metadata []string         `json:"metadata"`         // names
	Absent   map[string]int64 `json:"absent,omitempty"` // by name of metadata: kept documents that have none
	Twice    int64            `json:"twice,omitempty"`  // kept documents of an evaluation set whose identity came before
	Places   []corpus.Place   `json:"places,omitempty"` // of the first few documents dropped for each reason; files in the order of the inputs
}
