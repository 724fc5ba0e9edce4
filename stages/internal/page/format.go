package page

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// dash stands for what is not known.
const dash = "–"

// number writes v with commas between thousands and a true minus sign.
func number(v float64, decimals int) string {
	if math.IsNaN(v) {
		return dash
	}
	if math.IsInf(v, 0) {
		return strings.Replace(strconv.FormatFloat(v, 'f', 0, 64), "-", "−", 1)
	}
	s := strconv.FormatFloat(math.Abs(v), 'f', decimals, 64)
	whole, fraction, _ := strings.Cut(s, ".")
	var b strings.Builder
	if v < 0 && strings.Trim(s, "0.") != "" {
		b.WriteString("−")
	}
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	if fraction != "" {
		b.WriteString("." + fraction)
	}
	return b.String()
}

// score writes a perplexity or a loss: two decimals, which is more than a proxy is good for, until
// they stop meaning anything.
func score(v float64) string {
	switch m := math.Abs(v); {
	case math.IsInf(v, 0):
		return number(v, 0)
	case m >= 1e7: // of a model that diverged
		return strings.Replace(fmt.Sprintf("%.1e", v), "e+", "e", 1)
	case m >= 1e4:
		return number(v, 0)
	}
	return number(v, 2)
}

func coefficient(v float64) string { return number(v, 3) }

// bound has two decimals: the third is resampling noise.
func bound(v float64) string { return number(v, 2) }

func whole[T int | int64](n T) string { return number(float64(n), 0) }

// percent writes a share; one decimal below ten.
func percent(v float64) string {
	if math.IsNaN(v) {
		return dash
	}
	if math.Abs(v) < 0.0995 {
		return number(100*v, 1) + "%"
	}
	return number(100*v, 0) + "%"
}

// amount writes a count for reading rather than adding up: 7.2 million, 4.7 × 10²¹.
func amount(n float64) string {
	if n >= 9.9995e15 {
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(n, 'e', 1, 64), "e+")
		return mantissa + " × 10" + superscript.Replace(strings.TrimLeft(exponent, "0"))
	}
	for _, u := range []struct {
		size float64
		name string
	}{{1e12, "trillion"}, {1e9, "billion"}, {1e6, "million"}} {
		if v := n / u.size; v >= 0.9995 {
			decimals := 0
			if v < 99.5 {
				decimals = 1
			}
			return number(v, decimals) + " " + u.name
		}
	}
	return number(n, 0)
}

var superscript = strings.NewReplacer("0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴", "5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹")

// times writes a ratio: one decimal below ten, where it matters.
func times(ratio float64) string {
	if ratio < 9.95 {
		return number(ratio, 1)
	}
	return amount(math.Round(ratio))
}

// level writes the coverage of an interval as an adjective; a level that is not known is what kind
// of interval it is.
func level(v float64) string {
	if v == 0 {
		return "bootstrap"
	}
	// Four decimals of a percentage: a level of 0.95 must not read 94.99999999999999%.
	return strconv.FormatFloat(math.Round(v*1e6)/1e4, 'f', -1, 64) + "%"
}

func bytes(n int64) string {
	v := float64(n)
	for _, u := range []string{"B", "kB", "MB", "GB", "TB"} {
		if v < 999.5 || u == "TB" {
			if u == "B" || v >= 99.95 {
				return number(v, 0) + " " + u
			}
			return number(v, 1) + " " + u
		}
		v /= 1000
	}
	return "" // not reached: TB returns
}

func duration(seconds float64) string {
	switch {
	case math.IsNaN(seconds):
		return dash
	case seconds < 99.95:
		return number(seconds, 1) + " s"
	case seconds < 3570:
		return fmt.Sprintf("%.0f min", seconds/60)
	case seconds < 100*3600:
		return fmt.Sprintf("%.1f h", seconds/3600)
	}
	return number(seconds/3600, 0) + " h"
}

// Bytes and Duration write a size and a time as the page does, for figures on it.
func Bytes(n int64) string { return bytes(n) }

// Duration writes a time; see Bytes.
func Duration(seconds float64) string { return duration(seconds) }

// RanFound says how many of the steps ran in the last run that did any work, and how many were
// found in the cache.
func RanFound(count, found int) string {
	return whole(count-found) + " ran, " + whole(found) + " found"
}

func eight(digest string) string {
	digest = strings.TrimPrefix(digest, "sha256:")
	if digest == "" {
		return dash
	}
	return digest[:min(8, len(digest))]
}

func orDash(s string) string {
	if s == "" {
		return dash
	}
	return s
}

// plural writes "1 mixture", "2 mixtures", "1,000 mixtures".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return whole(n) + " " + noun + "s"
}

// list joins names as a sentence does.
func list(names []string) string {
	switch n := len(names); n {
	case 0:
		return ""
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}

// some lists names, the first dozen of many: what was left out can be hundreds of partitions.
func some(names []string) string {
	const most = 12
	if len(names) <= most+1 {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + " and " + whole(len(names)-most) + " more"
}
