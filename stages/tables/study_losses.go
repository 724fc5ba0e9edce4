package tables

import (
	"fmt"

	"ablate/cache/table"
)

// metaOf is the metadata of a table of losses that says, in the caller's words, what it was made
// of.
const metaOf = "ablate.of"

// StudyLosses is what the table of all losses of a study is made of, score by score.
type StudyLosses struct {
	Of     string // a digest of all that goes in; the file remembers it
	Scores []LossScore
	// Table gives the path of the loss table of an evaluation, which several scores may share.
	Table func(eval int) (string, error)
}

// LossScore is a score by the names of its row in scores.parquet.
type LossScore struct {
	Group, Mixture, Scorer, Set string
	Domains                     []LossDomain
}

// LossDomain is a domain of an evaluation set, and the models whose mean a score takes on it.
type LossDomain struct {
	Name   string
	Models []LossModel
}

// LossModel is an evaluated model.
type LossModel struct {
	Name string
	Eval int // for StudyLosses.Table
}

// Write writes the table: a row a document and model of each score, in the order of the scores. It
// holds one loss table and one row group in memory, however many there are. Same input, same bytes.
func (s StudyLosses) Write(path string) error {
	w, err := table.CreateRows[StudyLossRow](path, map[string]string{metaOf: s.Of})
	if err != nil {
		return fmt.Errorf("losses of the study: %w", err)
	}
	err = s.append(w)
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("losses of the study: %w", err)
	}
	return nil
}

func (s StudyLosses) append(w *table.RowWriter[StudyLossRow]) error {
	for _, score := range s.Scores {
		for _, domain := range score.Domains {
			for n, m := range domain.Models {
				path, err := s.Table(m.Eval)
				if err != nil {
					return err
				}
				rows, err := table.ReadRows[LossRow](path)
				if err != nil {
					return fmt.Errorf("%s of mixture %s on %s: model %s: %w", score.Scorer, score.Mixture, score.Set, m.Name, err)
				}
				for _, r := range rows {
					if err := w.Append(StudyLossRow{
						Group: score.Group, Mixture: score.Mixture, Scorer: score.Scorer, Set: score.Set, Domain: domain.Name, Number: int64(n),
						Model: m.Name, ID: r.ID, Tokens: r.Tokens, Bytes: r.Bytes, Chars: r.Chars, Words: r.Words, Nats: r.Nats,
					}); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// LossesOf is what a table of all losses of a study says that it was made of; empty where it says
// nothing.
func LossesOf(path string) (string, error) {
	meta, err := table.Meta(path)
	return meta[metaOf], err
}
