package proposal

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// roundDown is the next round number below x: 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6 or 8 times a power of
// ten.
func roundDown(x float64) float64 {
	if x < 1 {
		return 1
	}
	best := 1.0
	for power := 1.0; power <= x; power *= 10 {
		for _, m := range steps {
			if next := math.Round(m * power); next <= x {
				best = max(best, next)
			}
		}
	}
	return best
}

// steps are round numbers from 1 up to 10.
var steps = []float64{1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8}

// roundUp is the next round number above x.
func roundUp(x float64) float64 {
	for power := 1.0; ; power *= 10 {
		for _, m := range steps {
			if next := math.Round(m * power); next >= x {
				return next
			}
		}
	}
}

// powerOfTwo is the largest power of two up to x; 1 where there is none.
func powerOfTwo(x float64) float64 {
	power := 1.0
	for 2*power <= x {
		power *= 2
	}
	return power
}

// count writes a number as studies do: 20k, 2.5M.
func count(x float64) string {
	for _, u := range []struct {
		size float64
		sign string
	}{{1e9, "B"}, {1e6, "M"}, {1e3, "k"}} {
		if x >= u.size {
			return strconv.FormatFloat(x/u.size, 'g', 3, 64) + u.sign
		}
	}
	return strconv.FormatFloat(math.Round(x), 'f', 0, 64)
}

// binary writes a power of two of tokens or bytes: 4Ki.
func binary(n int64) string {
	if n >= 1<<10 && n%(1<<10) == 0 {
		return fmt.Sprintf("%dKi", n>>10)
	}
	return strconv.FormatInt(n, 10)
}

// size writes bytes for people.
func size(n int64) string {
	for _, u := range []struct {
		size float64
		sign string
	}{{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}} {
		if x := float64(n); x >= u.size {
			return strconv.FormatFloat(x/u.size, 'g', 3, 64) + " " + u.sign
		}
	}
	return fmt.Sprintf("%d bytes", n)
}

// plural is a number of things.
func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return grouped(n) + " " + word + "s"
}

// grouped writes a number with commas between thousands.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// percent writes a share. Neither a small one nor nearly all is rounded to nothing or to all.
func percent(share float64) string {
	switch {
	case share > 0 && share < 0.001:
		return "less than 0.1%"
	case share < 1 && share > 0.999:
		return "more than 99.9%"
	case share < 0.1:
		return strconv.FormatFloat(100*share, 'f', 1, 64) + "%"
	}
	return strconv.FormatFloat(100*share, 'f', 0, 64) + "%"
}

// show writes a value of the data in a sentence or a comment: clipped, and in quotes where it would
// be taken for something else.
func show(value string) string {
	const most = 60
	if len(value) > most {
		cut := most
		for cut > 0 && !utf8.RuneStart(value[cut]) {
			cut--
		}
		value = value[:cut] + "..."
	}
	if plainValue.MatchString(value) {
		return value
	}
	return strconv.Quote(value)
}

var plainValue = regexp.MustCompile(`^[\p{L}\p{N}_/.:+\[\]-]+$`)

// plainScalar is text that YAML takes for itself, but for words that mean something.
var plainScalar = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_./-]*$`)

// words that YAML 1.1 or 1.2 takes for truth values, nothing, or a number.
var yamlWords = map[string]bool{
	"y": true, "n": true, "yes": true, "no": true, "on": true, "off": true, "true": true, "false": true, "null": true, "nan": true, "inf": true,
}

// quote writes text as a scalar of YAML that is read as this text, and never as a number, a truth
// value or nothing.
func quote(text string) string {
	if plainScalar.MatchString(text) && !yamlWords[strings.ToLower(text)] {
		return text
	}
	// The escapes of Go are among those of YAML, for text in UTF-8.
	return strconv.Quote(strings.ToValidUTF8(text, string(unicode.ReplacementChar)))
}

// quoteAll writes a list.
func quoteAll(texts []string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = quote(t)
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
