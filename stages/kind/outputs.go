package kind

import (
	"fmt"
	"strconv"
	"strings"
)

// Names of outputs that do not depend on the parameters.
const (
	OutTokenizer    = "tokenizer.json"        // of tokenizer
	OutTokens       = "tokens.arrow"          // of tokenize: token file, documents in the order of the files, without EOS
	OutDocuments    = "documents.parquet"     // of tokenize: metadata
	OutParagraphs   = "paragraphs.parquet"    // of tokenize: hashes of paragraphs
	OutCounts       = "counts.json"           // of tokenize: documents read, kept, left out and why
	OutPlaces       = "places.parquet"        // of tokenize: where in the files each document lies
	OutMissing      = "missing.json"          // of tokenize: metadata that documents lack, and why there is no document
	OutLedger       = "ledger.parquet"        // of split: what decontamination removed
	OutDuplicates   = "duplicates.parquet"    // of split: documents whose identity came before
	OutSizes        = "sizes.parquet"         // of split: tokens and documents of everything
	OutTimeline     = "timeline.parquet"      // of split: the same by year, or whatever orders the documents
	OutFilter       = "filter.json"           // of split: what decontamination looked for, and with which filter
	OutCatalogue    = "catalogue.json"        // of split: partitions and their unit counts
	OutModel        = "model.safetensors"     // of train and merge
	OutOptimizer    = "optimizer.safetensors" // of train, where TrainParams.Moments is set
	OutCurve        = "curve.parquet"         // of train
	OutShares       = "shares.parquet"        // of train
	OutLosses       = "losses.parquet"        // of eval
	OutScores       = "scores.parquet"        // of correlate
	OutScoresCSV    = "scores.csv"            // of correlate
	OutCorrelations = "correlations.parquet"  // of correlate
	OutCorrCSV      = "correlations.csv"      // of correlate
	OutDecisions    = "decisions.parquet"     // of correlate: what each proxy decides, over all out-of-domain sets
	OutDecisionsCSV = "decisions.csv"         // of correlate
	OutWarnings     = "warnings.parquet"      // of correlate: what the sample cannot support
	OutWarningsCSV  = "warnings.csv"          // of correlate
	UnitsFolder     = "units"                 // of split: units/<partition>/<number>.arrow
	TestFolder      = "test"                  // of split: test/<partition>.arrow
	ValidFolder     = "validation"            // of split: validation/<partition>.arrow
	FiguresFolder   = "figures"               // of correlate: figures/<group>-<set>.svg
	tokenFileEnding = ".arrow"
)

// UnitOutput names the token file of the i-th base unit of a partition, from 0.
func UnitOutput(partition string, i int) string {
	return UnitsFolder + "/" + Escape(partition) + "/" + strconv.Itoa(i) + tokenFileEnding
}

// TestOutput names the token file of a partition's documents held out to evaluate on.
func TestOutput(partition string) string {
	return TestFolder + "/" + Escape(partition) + tokenFileEnding
}

// ValidationOutput names the token file of a partition's documents held out for validation.
func ValidationOutput(partition string) string {
	return ValidFolder + "/" + Escape(partition) + tokenFileEnding
}

// FigureOutput names the scatter of a group of mixtures on an evaluation set. A dash of the group is escaped too, so that the first one
// stands between the two.
func FigureOutput(group, set string) string {
	return FiguresFolder + "/" + strings.ReplaceAll(Escape(group), "-", "%2D") + "-" + Escape(set) + ".svg"
}

// maxComponent is the longest escaped piece between two slashes: file systems allow 255 bytes, and an ending follows.
const maxComponent = 200

// Escape turns any text into a path that is safe on every file system, and no two texts into paths that one of them could confuse:
//
//   - small letters, digits, '-', '_', ',' and a '.' that is not the first byte stay;
//   - a capital becomes '!' and the small letter (file systems that fold case would confuse "Art" and "art");
//   - every other byte becomes '%' and two capital hexadecimal digits, so the slash of "net/http" gives net%2Fhttp;
//   - the empty text becomes "%";
//   - what is longer than 200 bytes is broken by "+/", in place of which nothing stands in the text.
//
// Unescape takes it back.
func Escape(text string) string {
	if text == "" {
		return "%"
	}
	var b strings.Builder
	line := 0
	for i := 0; i < len(text); i++ {
		piece := escapeByte(text[i], i == 0 || line == 0)
		if line+len(piece) > maxComponent {
			b.WriteString("+/")
			line = 0
			piece = escapeByte(text[i], true)
		}
		b.WriteString(piece)
		line += len(piece)
	}
	return b.String()
}

func escapeByte(c byte, first bool) string {
	switch {
	case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == ',', c == '.' && !first:
		return string(c)
	case 'A' <= c && c <= 'Z':
		return string([]byte{'!', c - 'A' + 'a'})
	}
	return fmt.Sprintf("%%%02X", c)
}

// Unescape is the inverse of Escape. It refuses what Escape does not write.
func Unescape(path string) (string, error) {
	var b strings.Builder
	joined := strings.ReplaceAll(path, "+/", "")
	if joined == "%" {
		joined = ""
	}
	for i := 0; i < len(joined); i++ {
		switch c := joined[i]; {
		case c == '!' && i+1 < len(joined):
			i++
			b.WriteByte(joined[i] - 'a' + 'A')
		case c == '%' && i+2 < len(joined):
			v, err := strconv.ParseUint(joined[i+1:i+3], 16, 8)
			if err != nil {
				return "", fmt.Errorf("unescape %q: %w", path, err)
			}
			b.WriteByte(byte(v))
			i += 2
		default:
			b.WriteByte(c)
		}
	}
	if Escape(b.String()) != path {
		return "", fmt.Errorf("unescape %q: not the escaped form of any text", path)
	}
	return b.String(), nil
}
