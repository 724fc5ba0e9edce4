package specs

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"ablate/specs/arch"
)

// Count is a number of tokens, bytes or documents: 3M, 100k, 1B, 8Ki, 1_000.
type Count int64

// Fraction is a share between 0 and 1: 5% or 0.05. It is declared where the lowest of those lies
// that have one.
type Fraction = arch.Fraction

var (
	errNotNumber = errors.New("not a number")
	errNotWhole  = errors.New("not a whole number")
	errRange     = errors.New("out of range")
)

// suffixes of a Count, longest first. B and G are the same number: one speaks of a billion tokens
// and of a gigabyte.
var suffixes = []struct {
	text  string
	times int64
}{
	{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"Ti", 1 << 40},
	{"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"B", 1e9}, {"T", 1e12},
}

// parseCount reads decimal digits with an optional fraction, exponent and suffix; the result must
// be exactly whole, so 2.5M is a count and 1.5 is not. No float is involved: 9007199254740993 stays
// what it is.
func parseCount(text string) (Count, error) {
	number, times := text, int64(1)
	for _, s := range suffixes {
		if rest, ok := strings.CutSuffix(text, s.text); ok {
			number, times = rest, s.times
			break
		}
	}
	if err := decimal(number); err != nil {
		return 0, err
	}
	r, ok := new(big.Rat).SetString(strings.ReplaceAll(number, "_", ""))
	if !ok {
		return 0, errNotNumber
	}
	r.Mul(r, new(big.Rat).SetInt64(times))
	switch {
	case !r.IsInt():
		return 0, errNotWhole
	case !r.Num().IsInt64():
		return 0, errRange
	}
	return Count(r.Num().Int64()), nil
}

// parseInt reads a whole number in decimal digits. A leading zero is refused: YAML 1.1 reads 017 as
// 15, YAML 1.2 as 17.
func parseInt(text string) (int64, error) {
	if err := decimal(text); err != nil {
		return 0, err
	}
	if strings.ContainsAny(text, ".eE") {
		return 0, errNotWhole
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return 0, errRange
	}
	return n, err
}

func parseFloat(text string) (float64, error) {
	if err := decimal(text); err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
	if errors.Is(err, strconv.ErrRange) {
		return 0, errRange
	}
	return f, err
}

// parseFraction reads 5% as the float nearest to 0.05, which is the float that 0.05 is read as.
func parseFraction(text string) (Fraction, error) {
	number, percent := strings.CutSuffix(text, "%")
	if percent {
		if strings.ContainsAny(number, "eE") {
			return 0, errNotNumber
		}
		number += "e-2"
	}
	f, err := parseFloat(number)
	switch {
	case err != nil:
		return 0, err
	case f >= 0 && f <= 1:
		return Fraction(f), nil
	case !percent && f > 1 && f <= 100:
		return 0, fmt.Errorf("%w: a share is at most 1; did you mean %s%%?", errRange, text)
	}
	return 0, fmt.Errorf("%w: want 0%% to 100%%, or 0 to 1", errRange)
}

// decimal accepts -1_000.25e-3 and the like, and nothing that YAML or Go would read in another
// base. Lengths are bounded so that no number costs more than its text.
func decimal(text string) error {
	s := strings.TrimLeft(text, "+-")
	if len(text)-len(s) > 1 || len(text) > 64 {
		return errNotNumber
	}
	whole := digits(&s)
	fraction := 0
	if rest, ok := strings.CutPrefix(s, "."); ok {
		s = rest
		fraction = digits(&s)
	}
	if whole+fraction == 0 {
		return errNotNumber
	}
	if rest, ok := strings.CutPrefix(strings.ToLower(s), "e"); ok {
		s = strings.TrimLeft(rest, "+-")
		if n := digits(&s); len(rest)-len(s)-n > 1 || n == 0 || n > 3 {
			return errNotNumber
		}
	}
	if s != "" {
		return errNotNumber
	}
	if head := strings.TrimLeft(text, "+-"); len(head) > 1 && head[0] == '0' && (head[1] == '_' || '0' <= head[1] && head[1] <= '9') {
		return errNotNumber
	}
	return nil
}

// digits cuts leading digits off s, single underscores between them included, and returns how many
// bytes they were.
func digits(s *string) int {
	text, n := *s, 0
	digit := func(i int) bool { return i >= 0 && i < len(text) && '0' <= text[i] && text[i] <= '9' }
	for digit(n) || n < len(text) && text[n] == '_' && digit(n-1) && digit(n+1) {
		n++
	}
	*s = text[n:]
	return n
}

// ParseCount reads a Count where it stands on a command line.
func ParseCount(text string) (Count, error) { return parseCount(text) }
