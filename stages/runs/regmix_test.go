package runs

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"ablate/stages/internal/stat"
)

// regmix is the folder of RegMix's public runs (github.com/sail-sg/regmix, data/*.csv), which is
// kept beside the checkout.
func regmix(t *testing.T) string {
	t.Helper()
	dirs := []string{os.Getenv("ABLATE_SHARED")}
	if at, err := os.Getwd(); err == nil {
		for ; at != filepath.Dir(at); at = filepath.Dir(at) {
			dirs = append(dirs, filepath.Join(at, "shared"))
		}
	}
	for _, d := range dirs {
		p := filepath.Join(d, "data", "regmix")
		if _, err := os.Stat(filepath.Join(p, "train_mixture_1m.csv")); d != "" && err == nil {
			return p
		}
	}
	t.Skip("no runs of RegMix: set ABLATE_SHARED to the folder that holds data/regmix (the files of data/ of github.com/sail-sg/regmix), or put that folder beside the checkout as shared")
	return ""
}

// TestRegMix holds laws, fitted to 512 runs of 1M parameters, to the correlations of their
// predictions with the losses of other runs, of 1M, 60M and 1B parameters. The numbers of least
// squares are also those of numpy, and RegMix's paper prints .9008, .8926 and .8801.
func TestRegMix(t *testing.T) {
	if testing.Short() {
		t.Skip("fits 78 laws with their folds, in some seconds")
	}
	dir := regmix(t)
	const pileCC = "metric/the_pile_pile_cc_val_loss"
	for _, c := range []struct {
		linear, logLinear, mean float64
		of                      string
	}{
		{.9016, .966, .972, "1m"}, {.8924, .960, .929, "60m"}, {.8786, .988, .735, "1B"},
	} {
		for _, law := range []string{"linear", "loglinear"} {
			got, err := Fit(Input{Law: law,
				Ratios: filepath.Join(dir, "train_mixture_1m.csv"), Metrics: filepath.Join(dir, "train_pile_loss_1m.csv"),
				Predict: filepath.Join(dir, "test_mixture_"+c.of+".csv"), Truth: filepath.Join(dir, "test_pile_loss_"+c.of+".csv")})
			if err != nil {
				t.Fatal(err)
			}
			if law == "linear" {
				near(t, "linear, Pile-CC, "+c.of, got.Metrics[pileCC].Spearman, c.linear, 1e-3)
				continue
			}
			near(t, "loglinear, Pile-CC, "+c.of, got.Metrics[pileCC].Spearman, c.logLinear, 1e-2)
			near(t, "loglinear, mean of 13 sets, "+c.of, meanOf(t, got, filepath.Join(dir, "test_mixture_"+c.of+".csv"), filepath.Join(dir, "test_pile_loss_"+c.of+".csv")), c.mean, 1e-2)
		}
	}
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	t.Logf("%s: %.4f", what, got)
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s: Spearman correlation %.4f, want %v within %v", what, got, want, within)
	}
}

// meanOf is the Spearman correlation of the mean of the predictions with the mean of the losses,
// over the runs.
func meanOf(t *testing.T, r *Result, ratios, metrics string) float64 {
	t.Helper()
	a, b, err := ReadPair(ratios, metrics)
	if err != nil {
		t.Fatal(err)
	}
	runs, _, losses, _, err := Joined(a, b)
	if err != nil {
		t.Fatal(err)
	}
	var x, y []float64
	for i, run := range runs {
		var p, l float64
		for c, name := range b.Columns {
			p += r.Metrics[name].Predictions[run]
			l += losses[i][c]
		}
		x, y = append(x, p), append(y, l)
	}
	return stat.Spearman(x, y)
}
