package show

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"

	"ablate/specs/words"
)

// BigBytes writes a size, however large, as words.Bytes does; empty for none.
func BigBytes(n *big.Int) string {
	switch {
	case n.Sign() == 0:
		return ""
	case !n.IsInt64():
		return scientific(n.String()) + "B"
	}
	return words.Bytes(n.Int64())
}

// Tokens writes a number of tokens, empty for none.
func Tokens(n int64) string {
	if n == 0 {
		return ""
	}
	return BigTokens(big.NewInt(n))
}

// BigTokens writes a number of tokens: those of studies at the paper's size in billions, however
// many, so that they can be compared.
func BigTokens(n *big.Int) string {
	const billion = 1e9
	if n.IsInt64() && n.Int64() < billion {
		return words.Count(n.Int64(), "")
	}
	b, rest := new(big.Int).QuoRem(n, big.NewInt(billion), new(big.Int))
	if b.Cmp(big.NewInt(1000)) < 0 {
		return strconv.FormatFloat(float64(b.Int64())+float64(rest.Int64())/billion, 'g', 4, 64) + "B"
	}
	if rest.Cmp(big.NewInt(billion/2)) >= 0 {
		b.Add(b, big.NewInt(1))
	}
	return BigWhole(b) + "B"
}

// Whole writes a whole number in groups of three digits: "341,376".
func Whole(n int) string { return grouped(strconv.Itoa(n)) }

// BigWhole is Whole of any number; beyond 18 digits it has three of them and an exponent.
func BigWhole(n *big.Int) string {
	if digits := n.String(); len(digits) > 18 {
		return scientific(digits)
	}
	return grouped(n.String())
}

// Big reads a whole number of a result's JSON form.
func Big(n json.Number) *big.Int {
	b, ok := new(big.Int).SetString(n.String(), 10)
	if !ok {
		panic("internal error: number " + n.String()) // we wrote it
	}
	return b
}

func scientific(digits string) string {
	return fmt.Sprintf("%s.%se%d", digits[:1], digits[1:3], len(digits)-1)
}

// grouped writes digits in groups of three.
func grouped(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Hours writes a number of device hours: four digits, or whole hours in groups of three digits from
// a thousand on.
func Hours(hours float64) string {
	switch {
	case hours < 1000:
		return strconv.FormatFloat(hours, 'g', 4, 64)
	case hours > 1e15:
		return strconv.FormatFloat(hours, 'e', 2, 64)
	}
	return grouped(strconv.FormatFloat(math.Round(hours), 'f', 0, 64))
}

// Ratio writes how many times as much: "2.5x", "1,234x".
func Ratio(x float64) string {
	if x < 100 {
		return strconv.FormatFloat(x, 'g', 3, 64) + "x"
	}
	if x > 1e15 {
		return strconv.FormatFloat(x, 'e', 2, 64) + "x"
	}
	return grouped(strconv.FormatFloat(math.Round(x), 'f', 0, 64)) + "x"
}

// Loss writes a loss or a perplexity: five significant digits at most, and as many decimals for all
// losses between 1 and 10.
func Loss(v float64) string {
	switch {
	case math.Abs(v) >= 100 && math.Abs(v) < 1e7:
		return Fixed(v, 1)
	case math.Abs(v) >= 10:
		return Fixed(v, 2)
	}
	return Fixed(v, 4)
}

// Fixed writes a number with so many decimals; of a model that diverged, with three digits and an
// exponent. What is not known is a dash.
func Fixed(v float64, decimals int) string {
	switch {
	case math.IsNaN(v):
		return "-"
	case math.Abs(v) >= 1e7:
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// Interval writes the bounds of a correlation's interval, or a dash where one of them is not known.
func Interval(low, high float64) string {
	if math.IsNaN(low) || math.IsNaN(high) {
		return "-"
	}
	return Fixed(low, 2) + " to " + Fixed(high, 2)
}

// Percent writes a fraction as a percentage, with four decimals at most: "95%".
func Percent(fraction float64) string {
	return strconv.FormatFloat(math.Round(1e6*fraction)/1e4, 'f', -1, 64) + "%"
}

// Seconds writes a time to a tenth of a second.
func Seconds(s float64) string { return fmt.Sprintf("%.1fs", s) }

// Span writes a time to three figures in the unit that suits it, or a dash where it was not
// measured.
func Span(seconds *float64) string {
	switch {
	case seconds == nil:
		return "-"
	case *seconds < 120:
		return fmt.Sprintf("%.3g s", *seconds)
	case *seconds < 120*60:
		return fmt.Sprintf("%.3g min", *seconds/60)
	}
	return strconv.FormatFloat(round3(*seconds/3600), 'f', -1, 64) + " h"
}

// round3 keeps three significant digits.
func round3(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	if err != nil {
		return v // cannot be: it was written in the same line
	}
	return r
}

// Known is a number of JSON, or null.
func Known(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// short writes a duration to two figures or so: 0.12s, 4.5s, 1m05s, 2h10m.
func short(d time.Duration) string {
	switch s := d.Seconds(); {
	case s < 1:
		return fmt.Sprintf("%.2fs", s)
	case s < 60:
		return fmt.Sprintf("%.1fs", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", int(s)/60, int(s)%60)
	default:
		return fmt.Sprintf("%dh%02dm", int(s)/3600, int(s)%3600/60)
	}
}
