package runs

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"ablate/stages/internal/random"
	"ablate/stages/internal/stat"
)

// write makes files in a folder of their own and returns their paths.
func write(t testing.TB, files ...string) []string {
	t.Helper()
	dir := t.TempDir()
	var out []string
	for i, text := range files {
		path := filepath.Join(dir, fmt.Sprintf("%d.csv", i))
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		out = append(out, path)
	}
	return out
}

// The same four runs in the hands of several programs.
var writers = map[string][2]string{
	// pandas: to_csv() with its nameless index.
	"pandas": {",run,name,index,web,code\n0,r1,swarm-1,0,0.25,0.75\n1,r2,swarm-2,1,0.5,0.5\n2,r3,swarm-3,2,1.0,0.0\n3,r4,swarm-4,3,0.1,0.9\n",
		",run,name,index,loss,acc\n0,r4,swarm-4,3,2.9,0.1\n1,r2,swarm-2,1,2.5,0.4\n2,r3,swarm-3,2,2.0,0.9\n3,r1,swarm-1,0,2.75,0.2\n"},
	// polars: write_csv() with quote_style always, columns in another order.
	"polars": {"\"code\",\"run\",\"web\"\n\"0.75\",\"r1\",\"0.25\"\n\"0.5\",\"r2\",\"0.5\"\n\"0\",\"r3\",\"1\"\n\"0.9\",\"r4\",\"1e-1\"\n",
		"\"run\",\"loss\",\"acc\"\n\"r1\",\"2.75\",\"0.2\"\n\"r2\",\"2.5\",\"0.4\"\n\"r3\",\"2\",\"0.9\"\n\"r4\",\"2.9\",\"0.1\"\n"},
	// A spreadsheet: byte order mark, CRLF, quotes within quotes, percentages, rows of nothing at
	// the end.
	"spreadsheet": {"\ufeffrun,note,web,code\r\nr1,\"says \"\"one\"\", first\",25%,75%\r\nr2,,50%,50%\r\nr3,x,100%,0%\r\nr4,x,10%,90%\r\n,,,\r\n",
		"\ufeffrun,loss,acc\r\nr1,2.75,0.2\r\nr2,2.5,0.4\r\nr3,2,0.9\r\nr4,2.9,0.1\r\n,,\r\n"},
	"semicolons": {"run;web;code\nr1;0.25;0.75\nr2;0.5;0.5\nr3;1;0\nr4;0.1;0.9", "run;loss;acc\nr1;2.75;0.2\nr2;2.5;0.4\nr3;2;0.9\nr4;2.9;0.1"},
	"old Macs":   {"run,web,code\rr1,0.25,0.75\rr2,0.5,0.5\rr3,1,0\rr4,0.1,0.9\r", "run,loss,acc\rr1,2.75,0.2\rr2,2.5,0.4\rr3,2,0.9\rr4,2.9,0.1\r"},
	"tabs":       {"run\tweb\tcode\nr1\t0.25\t0.75\nr2\t0.5\t0.5\nr3\t1\t0\nr4\t0.1\t0.9\n", "run\tloss\tacc\nr1\t2.75\t0.2\nr2\t2.5\t0.4\nr3\t2\t0.9\nr4\t2.9\t0.1\n"},
	// Without a column `run` in both, the first columns name the runs.
	"first column": {"mixture,web,code\nr1,0.25,0.75\nr2,0.5,0.5\nr3,1,0\nr4,0.1,0.9\n", "id,loss,acc\nr1,2.75,0.2\nr2,2.5,0.4\nr3,2,0.9\nr4,2.9,0.1\n"},
}

// TestWriters: the same runs give the same bits, whoever wrote them and in whatever order.
func TestWriters(t *testing.T) {
	var want *Result
	for name, pair := range writers {
		paths := write(t, pair[0], pair[1], "run,code,web\nnew,0.4,0.6\n")
		got, err := Fit(Input{Ratios: paths[0], Metrics: paths[1], Law: "linear", Predict: paths[2], Resamples: 10})
		if err != nil {
			t.Fatal(name, err)
		}
		if len(got.Notes) > 0 != (name == "pandas" || name == "spreadsheet") {
			t.Errorf("%s: notes %q", name, got.Notes)
		}
		got.Notes = nil
		if want == nil {
			want = got
		}
		for _, m := range got.Metrics { // NaN is not equal to itself
			if !math.IsNaN(m.Spearman) || !math.IsNaN(m.Pearson) {
				t.Errorf("%s: correlations %v and %v without a truth", name, m.Spearman, m.Pearson)
			}
		}
		for _, r := range []*Result{got, want} {
			for k, m := range r.Metrics {
				m.Spearman, m.Pearson = math.NaN(), math.NaN()
				r.Metrics[k] = m
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	if math.Abs(want.Metrics["loss"].Predictions["new"]-2.4) > 1e-6 { // the loss is 2 web + 3 code
		t.Errorf("predicted %v, want 2.4", want.Metrics["loss"].Predictions)
	}
	if !reflect.DeepEqual(want.Sources, []string{"code", "web"}) || want.Runs != 4 || len(want.Metrics) != 2 {
		t.Errorf("sources %v, %d runs, metrics %v", want.Sources, want.Runs, want.Metrics)
	}
}

func TestMistakes(t *testing.T) {
	const ratios, metrics = "run,a,b\nr1,0.2,0.8\nr2,0.5,0.5\nr3,0.9,0.1\n", "run,loss\nr1,1\nr2,2\nr3,3\n"
	for name, c := range map[string]struct {
		ratios, metrics, predict, truth string
		law                             string
		want                            string
	}{
		"sum":                    {ratios: "run,a,b\nr1,0.2,0.8\nr2,0.5,0.4\nr3,.9,.1\n", want: "0.csv:3: run r2: the shares sum to 0.9, want 1 (within 0.005)"},
		"a number that is none":  {ratios: "run,tokens,a,b\nr1,100,0.2,0.8\nr2,100,.5,.5\n", want: "run r1: the shares sum to 101, want 1 (within 0.005) (every column of numbers is a source)"},
		"negative":               {ratios: "run,a,b\nr1,-0.2,1.2\n", want: "0.csv:2: run r1: the share of a is -0.2"},
		"NaN":                    {ratios: "run,a,b\nr1,0.2,0.8\nr2,nan,0.5\n", want: `0.csv:3: run r2, column a: no value ("nan")`},
		"empty cell":             {metrics: "run,loss\nr1,1\nr2,\nr3,2\n", want: `1.csv:3: run r2, column loss: no value ("")`},
		"infinite":               {metrics: "run,loss\nr1,1\nr2,inf\nr3,2\n", want: `1.csv:3: run r2, column loss: "inf" is not finite`},
		"text among numbers":     {metrics: "run,loss\nr1,1\nr2,diverged\nr3,2\n", want: `1.csv:3: run r2, column loss: "diverged" is not a number`},
		"decimal comma":          {ratios: "run;a;b\nr1;0,2;0,8\n", want: `0.csv:2: run r1, column a: "0,2" has a decimal comma`},
		"run twice":              {ratios: "run,a,b\nr1,0.2,0.8\nr1,0.5,0.5\n", want: "0.csv:3: run r1 is in line 2, too"},
		"column twice":           {ratios: "run,a,a\nr1,0.2,0.8\n", want: `0.csv: two columns are called "a"`},
		"column without a name":  {ratios: "run,a,,b\nr1,0.2,1,0.8\n", want: "0.csv: column 3 has no name"},
		"run without a name":     {ratios: "run,a,b\n,0.2,0.8\n", want: `0.csv:2: no name of a run in column "run"`},
		"short row":              {ratios: "run,a,b\nr1,0.2\n", want: "0.csv:2: 2 cells, and the header has 3"},
		"no rows":                {ratios: "run,a,b\n", want: "0.csv: no rows below a header"},
		"quote":                  {ratios: "run,a,b\nr1,\"0.2,0.8\n", want: "0.csv:"},
		"not CSV":                {ratios: "PAR1\x00\x00", want: "0.csv is not a CSV file"},
		"no run in common":       {metrics: "run,loss\ns1,1\n", want: `have no run in common: the first names runs such as "r1" in column "run", the second "s1" in column "run"`},
		"few runs":               {law: "quadratic", ratios: "run,a,b,c\nr1,0.2,0.8,0\nr2,0.5,0.5,0\nr3,0.5,0.4,0.1\n", want: "1.csv: metric loss: the law quadratic of 3 sources has 6 parameters and needs as many runs; runs at hand: 3"},
		"negative score":         {law: "loglinear", metrics: "run,loss\nr1,1\nr2,-2\nr3,3\n", want: "metric loss: run r2: a score of -2"},
		"unknown source":         {predict: "run,a,c\nx,0.5,0.5\n", want: "2.csv: source c is not in"},
		"source lacks":           {predict: "run,a\nx,1\n", want: "2.csv: no column for source b of"},
		"percent without a sign": {predict: "run,a,b\nx,50,50\n", want: "2.csv:2: run x: the shares sum to 100, want 1 (within 0.005) (every column of numbers is a source; percentages have their sign, as 25%)"},
		"few runs in common":     {metrics: "run,loss\nr1,1\nr7,2\n", want: "the law linear of 2 sources has 2 parameters and needs as many runs; runs at hand: 1 (2 of 3 runs of "},
		"predicted sum":          {predict: "run,a,b\nx,0.5,0.6\n", want: "2.csv:2: run x: the shares sum to 1.1"},
		"predicted twice":        {predict: "run,a,b\nx,0.5,0.5\nx,0.4,0.6\n", want: "2.csv:3: run x is in line 2, too"},
		"source that nobody has": {ratios: "run,a,b,c\nr1,0.2,0.8,0\nr2,0.5,0.5,0\nr3,0.9,0.1,0\n", predict: "run,a,b,c\nx,0.5,0.4,0.1\n", want: "2.csv:2: run x has a share 0.1 of c, and no fitted run has any"},
		"no metric in common":    {predict: ratios, truth: "run,accuracy\nr1,1\n", want: "have no metric in common: the first has loss, the second accuracy"},
		"truth of other runs":    {predict: ratios, truth: "run,loss\nr9,1\n", want: "have no run in common"},
		"truth without mixtures": {truth: metrics, want: "the truth holds metrics of runs to predict"},
		"first column after all": {ratios: "id,a,b\nr1,0.2,0.8\nr2,.5,.5\n", metrics: "name,run,loss\nx,r1,1\ny,r2,2\n", want: `such as "r1" in column "id", the second "x" in column "name"`},
		"metrics are only text":  {metrics: "run,name\nr1,x\nr2,y\n", want: `1.csv: no columns of numbers beside "run"`},
		"no law of such a name":  {law: "cubic", want: `law "cubic"`},
	} {
		t.Run(name, func(t *testing.T) {
			if c.ratios == "" {
				c.ratios = ratios
			}
			if c.metrics == "" {
				c.metrics = metrics
			}
			if c.law == "" {
				c.law = "linear"
			}
			paths := write(t, c.ratios, c.metrics, c.predict, c.truth)
			in := Input{Ratios: paths[0], Metrics: paths[1], Law: c.law}
			if c.predict != "" {
				in.Predict = paths[2]
			}
			if c.truth != "" {
				in.Truth = paths[3]
			}
			if _, err := Fit(in); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	if _, err := Fit(Input{Ratios: "nowhere.csv", Metrics: "nowhere.csv", Law: "linear"}); !os.IsNotExist(err) {
		t.Errorf("error %v, want that there is no such file", err)
	}
}

// TestNotes: what is left out is said.
func TestNotes(t *testing.T) {
	paths := write(t, "run,name,a,b,c\nr1,x,0.2,0.8,0\nr2,y,0.5,0.5,0\nr3,z,0.9,0.1,0\nr4,w,0.3,0.7,0\n",
		"run,loss,acc,comment\nr1,1,0.1,good\nr2,2,0.2,bad\nr3,3,0.3,good\nr5,3,0.3,lost\n",
		"run,a,b\nn1,0.1,0.9\nn2,0.6,0.4\nn3,0.7,0.3\nn4,1,0\n", "run,loss,speed\nn1,1,1\nn2,2,1\nn3,3,1\n")
	got, err := Fit(Input{Ratios: paths[0], Metrics: paths[1], Law: "linear", Predict: paths[2], Truth: paths[3]})
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(got.Notes, "\n")
	for _, want := range []string{
		"0.csv: columns that are no sources: name", "1.csv: columns that are no metrics: comment (text)", "1 of 4 runs of " + paths[0], "are left out: r4", "are left out: r5", "are left out: n4",
		"no fitted run has a share of c", "3.csv has no column for acc", "lacks and that are not predicted: speed",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("notes lack %q:\n%s", want, text)
		}
	}
	if m := got.Metrics["loss"]; m.Compared != 3 || len(m.Predictions) != 4 || m.Spearman != 1 || !math.IsNaN(got.Metrics["acc"].Spearman) {
		t.Errorf("%+v", got.Metrics)
	}
}

// TestMeanOfLaws is the lesson of RegMix's runs, on runs made here: scores on several sets, each
// log-linear in the shares with noise. Laws of each set, averaged, predict the mean better than a
// straight line does, and out-of-fold correlations say so beforehand.
func TestMeanOfLaws(t *testing.T) {
	const sources, sets = 6, 4
	rng := random.Stream(2, "swarm")
	uniform := func() float64 { return float64(rng.Uint64()>>11) / (1 << 53) }
	slopes := make([][]float64, sets)
	for k := range slopes {
		for range sources {
			slopes[k] = append(slopes[k], 2*uniform()-1)
		}
		slopes[k][k] = -6
	}
	swarm := func(n int) (ratios, metrics string, mean []float64) {
		r, m := "run", "run"
		for j := range sources {
			r += fmt.Sprintf(",s%d", j)
		}
		for k := range sets {
			m += fmt.Sprintf(",loss%d", k)
		}
		for i := range n {
			x, sum := make([]float64, sources), 0.0
			for j := range x {
				x[j] = math.Pow(uniform(), 4)
				sum += x[j]
			}
			r += fmt.Sprintf("\nr%d", i)
			m += fmt.Sprintf("\nr%d", i)
			for j := range x {
				x[j] /= sum
				r += fmt.Sprintf(",%.6f", x[j])
			}
			mean = append(mean, 0)
			for k := range sets {
				var dot float64
				for j := range x {
					dot += slopes[k][j] * x[j]
				}
				y := 2 + math.Exp(1+dot) + 0.05*(uniform()-0.5)
				mean[i] += y / sets
				m += fmt.Sprintf(",%.6f", y)
			}
		}
		return r + "\n", m + "\n", mean
	}
	r, m, _ := swarm(80)
	r2, m2, mean := swarm(60)
	paths := write(t, r, m, r2, m2)
	rho := map[string]float64{}
	for _, law := range Laws() {
		got, err := Fit(Input{Ratios: paths[0], Metrics: paths[1], Law: law, Predict: paths[2], Truth: paths[3]})
		if err != nil {
			t.Fatal(err)
		}
		predicted := make([]float64, len(mean))
		for name, fitted := range got.Metrics {
			for i := range predicted {
				predicted[i] += fitted.Predictions[fmt.Sprintf("r%d", i)]
			}
			if math.Abs(fitted.OutOfFold-fitted.Spearman) > 0.08 {
				t.Errorf("%s, %s: %v out of fold, and %v on other runs", law, name, fitted.OutOfFold, fitted.Spearman)
			}
		}
		rho[law] = stat.Spearman(predicted, mean)
	}
	t.Log(rho)
	if rho["loglinear"] < 0.98 || rho["loglinear"] < rho["linear"]+0.05 {
		t.Errorf("correlations of predicted and true means %v: want the log-linear laws far ahead", rho)
	}
}
