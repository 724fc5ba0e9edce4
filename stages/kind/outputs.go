package kind

import (
	"fmt"
	"strconv"
	"strings"

	"ablate/cache"
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
	OutSources      = "sources.parquet"       // of train, where sources have shares
	OutLosses       = "losses.parquet"        // of eval and ensemble
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

// LongestPartition is how many bytes the escaped name of a partition that has units may have: the
// cache takes names of outputs of 512 bytes.
const LongestPartition = 480

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

// FigureOutput names the scatter of a group of mixtures on an evaluation set. A dash of the group
// is escaped too, so that the first one stands between the two.
func FigureOutput(group, set string) string {
	name := strings.ReplaceAll(Escape(group), "-", "%2D") + "-" + Escape(set)
	if len(name) > maxComponent {
		name = shortened(name, group+"\x00"+set)
	}
	return FiguresFolder + "/" + name + ".svg"
}

// FileName is a name for a file about a thing, such as the log of a step. The text is in it as far
// as it is safe: slashes become underscores, and what another text could share, what file systems
// read in another way, and what is too long, is told apart by the digest of the text at the end.
func FileName(text string) string {
	const small, more = "abcdefghijklmnopqrstuvwxyz0123456789,+-.@/", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	name := strings.Map(func(r rune) rune {
		if r == '/' || !strings.ContainsRune(small+more, r) {
			return '_'
		}
		return r
	}, text)
	plain := strings.Trim(text, small) == "" && text != "" && text[0] != '.' && !isDevice(name)
	if plain && len(name) <= maxComponent {
		return name
	}
	return shortened(strings.TrimLeft(name, "."), text)
}

// shortened is the beginning of a name and the digest of what it is made of.
func shortened(name, of string) string {
	return name[:min(len(name), maxComponent-20)] + "~" + cache.DigestOf([]byte(of)).String()[:16]
}

// maxComponent is the longest escaped piece between two slashes: file systems allow 255 bytes, and
// an ending follows.
const maxComponent = 200

// Escape turns any text into a path that is safe on every file system, and no two texts into paths
// that one of them could confuse:
//
//   - small letters, digits, '-', '_', ',' and a '.' that is not the first byte stay;
//   - a capital becomes '!' and the small letter (file systems that fold case would confuse "Art" and "art");
//   - every other byte becomes '%' and two capital hexadecimal digits, so the slash of "net/http" gives net%2Fhttp;
//   - the empty text becomes "%";
//   - a '.' at the very end, and the first letter of what Windows takes for a device (con, aux.txt), become '%' and two digits, too;
//   - what is longer than 200 bytes is broken by "+/", in place of which nothing stands in the text.
//
// Unescape takes it back.
func Escape(text string) string {
	if text == "" {
		return "%"
	}
	var b strings.Builder
	line := 0
	device := isDevice(text)
	for i := 0; i < len(text); i++ {
		piece := escapeByte(text[i], i == 0 || line == 0)
		if i == 0 && device || i == len(text)-1 && text[i] == '.' {
			piece = fmt.Sprintf("%%%02X", text[i])
		}
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

// isDevice reports whether Windows takes the name of a file for one of its devices, whatever
// follows the first dot.
func isDevice(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	switch stem {
	case "con", "prn", "aux", "nul":
		return true
	}
	return len(stem) == 4 && (strings.HasPrefix(stem, "com") || strings.HasPrefix(stem, "lpt")) && '0' <= stem[3] && stem[3] <= '9'
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
