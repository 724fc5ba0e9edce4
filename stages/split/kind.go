// Package split is the kind that divides a corpus: into partitions, held-out sets and base units of equal token counts, from which
// decontamination then removes what evaluation text repeats. What becomes of a document depends on the document alone, but for the cut into
// units, which depends on the documents before it in its partition: units stay as they are when documents are added.
package split

import "ablate/stages/kind"

// Kind is the kind split.
var Kind = kind.Kind{Name: kind.Split, Run: split}
