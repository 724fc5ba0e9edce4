package mix

import (
	"fmt"
	"math"
	"strings"
)

// warn says what keeps the proposal from being trusted, in sentences.
func (s *solver) warn() {
	s.warnNoise()
	s.warnOutside()
	s.warnDifference()
	s.warnBest()
	s.warnPasses()
}

func (s *solver) say(format string, args ...any) {
	s.out.Warnings = append(s.out.Warnings, fmt.Sprintf(format, args...))
}

// warnNoise: of scores that have nothing to do with the shares, the rank correlation of n runs has a
// standard deviation of 1/sqrt(n-1), and lies above 1.645 of them one time in twenty (Kendall and
// Gibbons 1990, "Rank Correlation Methods").
func (s *solver) warnNoise() {
	limit := 1.645 / math.Sqrt(float64(len(s.Runs)-1))
	for _, l := range append(s.out.Metrics, s.out.Goal) {
		switch {
		case l.Weight == 0:
		case math.IsNaN(l.OutOfFold):
			s.say("%s: nothing says whether the law predicts anything: it has as many parameters as there are runs, or scores are equal", l.Name)
		case l.OutOfFold < limit:
			s.say("%s: the law predicts runs that it was not fitted to no better than noise may (rank correlation %.2f; noise stays below %.2f 19 times in 20)", l.Name, l.OutOfFold, limit)
		}
	}
}

// beyond is how far a share may be from those of the runs before it is said: published shares are
// rounded to three digits.
const beyond = .0015

// warnOutside names shares that no run has anything like.
func (s *solver) warnOutside() {
	var out []string
	for j, name := range s.Sources {
		low, high := math.Inf(1), math.Inf(-1)
		for _, row := range s.Shares {
			low, high = min(low, row[j]), max(high, row[j])
		}
		if v := s.out.Mixtures[0].Shares[j]; v < low-beyond || v > high+beyond {
			out = append(out, fmt.Sprintf("%s %.3f (runs have %.3f to %.3f)", name, v, low, high))
		}
	}
	if len(out) > 0 {
		s.say("the proposed shares leave the region that the runs cover, where a law is a guess: %s", strings.Join(out, ", "))
	}
}

func (s *solver) warnDifference() {
	if d := s.out.Mixtures[0].Against; d.High >= 0 {
		s.say("the proposal is not clearly better than %s: the predicted difference of the goal, %.4g, has an interval that holds 0 (%.4g to %.4g)", s.out.Baseline, d.Value, d.Low, d.High)
	}
}

// warnBest says when a mixture that was measured is predicted to be better than the proposal: the
// prior or the bounds keep the proposal from that mixture.
func (s *solver) warnBest() {
	proposed := s.out.Mixtures[0].Goal
	for _, m := range s.out.Mixtures[1:] {
		if !math.IsNaN(m.Measured) && m.Goal.Value < proposed.Value {
			s.say("%s is predicted to be better than the proposal (%.4g against %.4g): the prior or a bound keeps the proposal from that mixture; try a smaller --kl", m.Name, m.Goal.Value, proposed.Value)
		}
	}
}

func (s *solver) warnPasses() {
	if !s.limited() {
		s.say("nothing keeps a source from being repeated often: that takes the tokens of each source and of the training to come")
	}
}
