package svg

import (
	"math"
	"strconv"
	"strings"

	"ablate/stages/internal/elementary"
)

// axis maps values lo..hi to pixels from..to.
type axis struct {
	lo, hi   float64
	from, to float64
	ticks    []float64
	decimals int // of a tick's text; negative: scientific
}

// newAxis widens lo..hi by 4 % so that no mark sits on the frame, and picks about want ticks. A
// range without extent becomes one of 10 % of the value (or 1 at zero) about it.
func newAxis(lo, hi, from, to float64, want int) axis {
	if !(lo <= hi) { // no points: any range will do
		lo, hi = 0, 1
	}
	pad := float64(0.04 * (hi - lo))
	if hi-lo <= 1e-12*math.Max(math.Abs(lo), math.Abs(hi)) {
		pad = float64(0.05 * math.Abs(lo))
		if pad == 0 {
			pad = 0.5
		}
	}
	a := axis{lo: lo - pad, hi: hi + pad, from: from, to: to}
	a.place(want)
	return a
}

// place sets ticks at multiples of the step nearest (hi-lo)/want among 1, 2, 2.5 and 5 times a
// power of ten (Heckbert 1990, "Nice numbers for graph labels", with 2.5 added: quarters are easy
// to read).
func (a *axis) place(want int) {
	raw := (a.hi - a.lo) / float64(want)
	exp := math.Floor(elementary.Log10(raw))
	best := math.Inf(1)
	var step float64
	var stepDecimals int
	for _, m := range []struct {
		times    float64
		decimals int
	}{{1, 0}, {2, 0}, {2.5, 1}, {5, 0}, {10, 0}} {
		s := m.times * elementary.Pow(10, exp)
		if d := math.Abs(elementary.Log(s / raw)); d < best {
			best, step, stepDecimals = d, s, m.decimals
		}
	}
	first, last := math.Ceil(a.lo/step), math.Floor(a.hi/step)
	for k := first; k <= last && len(a.ticks) < 4*want; k++ {
		a.ticks = append(a.ticks, k*step)
	}
	a.decimals = max(0, stepDecimals-int(exp))
	if biggest := math.Max(math.Abs(a.lo), math.Abs(a.hi)); biggest >= 1e7 || a.decimals > 6 {
		a.decimals = -1
	}
}

// shrunk returns the axis with its far end moved in by some pixels, but never below half its
// length.
func (a axis) shrunk(pixels float64) axis {
	a.to -= min(pixels, (a.to-a.from)/2)
	return a
}

func (a axis) at(v float64) float64 {
	return a.from + float64((v-a.lo)/(a.hi-a.lo)*(a.to-a.from))
}

func (a axis) text(v float64) string {
	if v == 0 {
		v = 0 // a tick at zero can be -0
	}
	if a.decimals >= 0 {
		return number(v, a.decimals)
	}
	return strings.Replace(strconv.FormatFloat(v, 'g', 4, 64), "-", "−", -1)
}

// number writes v with a true minus sign and commas between thousands from five digits on.
func number(v float64, decimals int) string {
	s := strconv.FormatFloat(math.Abs(v), 'f', decimals, 64)
	whole, fraction, _ := strings.Cut(s, ".")
	if len(whole) >= 5 {
		var parts []string
		for ; len(whole) > 3; whole = whole[:len(whole)-3] {
			parts = append([]string{whole[len(whole)-3:]}, parts...)
		}
		whole = strings.Join(append([]string{whole}, parts...), ",")
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if v < 0 && strings.Trim(s, "0.") != "" {
		whole = "−" + whole
	}
	return whole
}

// short writes a value for a point's title: four digits, or the whole part where that is longer.
func short(v float64) string {
	m := math.Abs(v)
	switch {
	case m >= 1e7 || m < 1e-3 && m > 0:
		return strings.Replace(strconv.FormatFloat(v, 'g', 4, 64), "-", "−", -1)
	case m >= 1000:
		return number(v, 0)
	case m >= 100:
		return number(v, 1)
	case m >= 10:
		return number(v, 2)
	}
	return number(v, 3)
}
