package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/mixing"
	"ablate/cmd/internal/study/ranking"
	"ablate/specs"
	"ablate/stages/mix"
	"ablate/stages/runs"
)

type rankCommand struct {
	Study    string `arg:"" help:"A YAML file, or the name of a shipped study."`
	On       string `help:"Evaluation set to rank on. out-of-domain is the mean over all sets but in-domain. If the study has one set, this flag may be left out." placeholder:"SET"`
	Proxy    string `help:"Proxy to rank by." default:"macro"`
	Top      int    `help:"How many mixtures to list." default:"10" placeholder:"N"`
	All      bool   `xor:"which" help:"Rank every mixture that the study's mixture sets allow (the default)."`
	Sampled  bool   `xor:"which" help:"Rank only the mixtures that the study selects."`
	Mixtures string `help:"Rank only this mixture set." placeholder:"NAME"`
	Most     int    `help:"If a mixture set allows more mixtures than this, a greedy search chooses the mixtures that are scored." default:"10000" placeholder:"N"`
	Threads  int    `help:"Processors to use (default: all). Results do not depend on their number." placeholder:"N"`
	Memory   size   `help:"Memory to use, such as 6GB (default: four fifths of the machine's)." placeholder:"SIZE"`
	JSON     bool   `help:"Print the ranking as JSON."`
	Quiet    bool   `short:"q" help:"Show failures and the ranking only."`
}

// Run ranks mixtures by averages of models that are in the cache.
func (cmd rankCommand) Run(a *app) error {
	if cmd.Top < 1 || cmd.Most < 1 || cmd.Threads < 0 {
		return fault.Usagef("--top %d --most %d --threads %d: want at least 1, 1 and 0", cmd.Top, cmd.Most, cmd.Threads)
	}
	if cmd.Most > specs.MostMixtures {
		return fault.Usagef("--most %d: want at most %d, because the plan of so many mixtures takes several gigabytes of memory", cmd.Most, specs.MostMixtures)
	}
	outliveReaders()
	a.Resources = study.Resources{Threads: cmd.Threads, Memory: int64(cmd.Memory)}
	shown := &show.Run{Out: a.stdout, Err: a.stderr, Quiet: cmd.Quiet}
	a.Tell = shown.Hear
	r, err := ranking.Rank(a.ctx, a.Session, ranking.Options{
		Study: cmd.Study, On: cmd.On, Proxy: cmd.Proxy, Sampled: cmd.Sampled, Mixtures: cmd.Mixtures, Most: cmd.Most,
	})
	if err != nil {
		return err
	}
	if !cmd.Quiet {
		fmt.Fprintf(a.stderr, "%d evaluations: %d were in the cache, %d ran; %.2fs\n", r.Evaluations, r.Evaluations-r.Ran, r.Ran, r.Took.Seconds())
	}
	if cmd.JSON {
		return show.RankingJSON(a.stdout, r, cmd.Top)
	}
	return show.Ranking(a.stdout, r, cmd.Top)
}

type fitCommand struct {
	Ratios  string  `help:"CSV file of the runs' mixtures: one row per run, one column of shares per source (olmix's ratios.csv)." required:"" placeholder:"FILE"`
	Metrics string  `help:"CSV file of the runs' scores: one row per run, one column per metric (olmix's metrics.csv)." required:"" placeholder:"FILE"`
	Law     string  `help:"Law from shares to a score: loglinear, linear, quadratic, or gp (a Gaussian process)." default:"loglinear" placeholder:"LAW"`
	Predict string  `help:"CSV file of mixtures to predict, with the same sources." placeholder:"FILE"`
	Truth   string  `help:"CSV file of measured scores of the predicted mixtures, with which the predictions are compared." placeholder:"FILE"`
	Delta   float64 `help:"Only for the law loglinear: the residual at which Huber's loss turns from square to linear, in the metric's unit (default: 1.345 standard deviations of the residuals, at least 0.02)." placeholder:"X"`
	Bands   int     `help:"Add bounds of 95 % to each prediction, from this many bootstrap resamples of the runs, such as 200." placeholder:"N"`
	Seed    int64   `help:"Seed of the resamples." default:"1"`
	JSON    bool    `help:"Print the fits as JSON, with every prediction."`
}

// Run fits laws to runs that were made elsewhere. It needs no study and no cache.
func (c fitCommand) Run(a *app) error {
	switch {
	case !slices.Contains(runs.Laws(), c.Law):
		return fault.Usagef("--law %s: want one of %s", c.Law, strings.Join(runs.Laws(), ", "))
	case !(c.Delta >= 0) || math.IsInf(c.Delta, 0) || c.Bands < 0 || c.Bands == 1:
		return fault.Usagef("--delta %v --bands %d: --delta must be 0 or more, and --bands 0 or at least 2", c.Delta, c.Bands)
	case c.Delta > 0 && c.Law != "loglinear":
		return fault.Usagef("--delta is for the law loglinear: the law %s has no Huber loss", c.Law)
	case c.Truth != "" && c.Predict == "":
		return fault.Usagef("--truth %s: also name the file of the mixtures that have these scores, with --predict", c.Truth)
	case c.Bands > 0 && c.Predict == "":
		return fault.Usagef("--bands %d: only predictions have bounds; name the mixtures to predict with --predict", c.Bands)
	}
	result, err := runs.Fit(runs.Input{Ratios: c.Ratios, Metrics: c.Metrics, Law: c.Law, Delta: c.Delta, Predict: c.Predict, Truth: c.Truth, Resamples: c.Bands, Seed: c.Seed})
	if err != nil {
		return fault.Usage(err)
	}
	show.Notes(a.stderr, result.Notes)
	if c.JSON {
		return show.FitJSON(a.stdout, result)
	}
	show.Fit(a.stdout, result, c.Predict != "", c.Truth != "")
	return nil
}

type mixCommand struct {
	Study    string `arg:"" optional:"" help:"A YAML file, or the name of a shipped study, that has been run."`
	Scores   string `help:"Of the study: whose scores of its mixtures to fit, a proxy's or those of the references (seq)." placeholder:"PROXY"`
	Mixtures string `help:"Of the study: only this mixture set." placeholder:"NAME"`
	Ratios   string `help:"In place of a study: CSV file of the mixtures of runs made elsewhere, as for fit." placeholder:"FILE"`
	Metrics  string `help:"CSV file of the scores of those runs, of which less is better." placeholder:"FILE"`

	Law    string            `help:"Law from shares to a score: loglinear or linear." default:"loglinear" placeholder:"LAW"`
	Goal   map[string]string `help:"Weight of an evaluation set, or metric, in the goal (default: all weigh the same)." placeholder:"SET=W"`
	Prior  string            `help:"Shares to stay near: tokens, in proportion to what each source has where that is known, or equal." enum:"tokens,equal" default:"tokens"`
	KL     float64           `name:"kl" help:"What a nat of divergence from the prior costs, in the goal's unit. 0: the prior does not matter." default:"0.05" placeholder:"X"`
	Floor  map[string]string `help:"Least share of a source, as 0.1 or 10%." placeholder:"SOURCE=SHARE"`
	Cap    map[string]string `help:"Largest share of a source." placeholder:"SOURCE=SHARE"`
	Tokens map[string]string `help:"Tokens that a source has, as 3B (default: those of the study's units)." placeholder:"SOURCE=COUNT"`
	Target count             `name:"target-tokens" help:"Tokens of the training that the shares are for: bounds the passes over each source." placeholder:"COUNT"`
	Passes float64           `help:"Most passes over a source in that training." default:"4" placeholder:"N"`

	Bands int    `help:"Bootstrap resamples of the mixtures, for intervals." default:"200" placeholder:"N"`
	Seed  int64  `help:"Seed of the resamples." default:"1"`
	For   string `help:"Write the proposed shares for a trainer, and nothing else: olmo-core, megatron, nanotron, torchtitan, levanter, olmix, json or csv." placeholder:"TRAINER"`
	JSON  bool   `help:"Print all of it as JSON."`
}

// Run proposes shares.
func (c mixCommand) Run(a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	opt := mixing.Options{
		Law: c.Law, KL: c.KL, Equal: c.Prior == "equal", Target: float64(c.Target), Passes: c.Passes, Resamples: c.Bands, Level: 0.95, Seed: c.Seed,
	}
	var err error
	for _, named := range []struct {
		flag string
		of   map[string]string
		as   func(string) (float64, error)
		to   *map[string]float64
	}{
		{"goal", c.Goal, weightOf, &opt.Goal}, {"floor", c.Floor, shareOf, &opt.Floors}, {"cap", c.Cap, shareOf, &opt.Caps}, {"tokens", c.Tokens, countOf, &opt.Tokens},
	} {
		if *named.to, err = numbersOf(named.flag, named.of, named.as); err != nil {
			return fault.Usage(err)
		}
	}
	var p *mixing.Proposal
	if c.Study != "" {
		p, err = mixing.Study(a.ctx, a.Session, mixing.Of{Study: c.Study, Scores: c.Scores, Mixtures: c.Mixtures}, opt)
	} else {
		p, err = mixing.Runs(a.ctx, c.Ratios, c.Metrics, opt)
	}
	if err != nil {
		return err
	}
	show.Notes(a.stderr, p.Notes)
	show.MixWarnings(a.stderr, p)
	switch {
	case c.For != "":
		if err := show.MixFor(a.stdout, p, c.For); err != nil {
			return fault.Usage(err)
		}
		return nil
	case c.JSON:
		return show.MixJSON(a.stdout, p)
	}
	show.Mix(a.stdout, p)
	return nil
}

func (c mixCommand) check() error {
	elsewhere := c.Ratios != "" || c.Metrics != ""
	switch {
	case c.Study == "" && (c.Ratios == "" || c.Metrics == ""):
		return fault.Usagef("name a study that has been run, or runs made elsewhere with --ratios and --metrics")
	case c.Study != "" && elsewhere:
		return fault.Usagef("%s --ratios %s --metrics %s: name a study or runs made elsewhere, not both", c.Study, c.Ratios, c.Metrics)
	case c.Study != "" && c.Scores == "":
		return fault.Usagef("--scores: say whose scores to fit: a proxy's, such as macro, or those of the references, seq")
	case elsewhere && (c.Scores != "" || c.Mixtures != ""):
		return fault.Usagef("--scores and --mixtures are for a study: runs made elsewhere have the columns of --metrics")
	case !slices.Contains(mix.Laws(), c.Law):
		return fault.Usagef("--law %s: want one of %s, whose optimum is found exactly; `ablate fit` fits others", c.Law, strings.Join(mix.Laws(), ", "))
	case !(c.KL >= 0) || math.IsInf(c.KL, 0):
		return fault.Usagef("--kl %v: want a number of at least 0", c.KL)
	case !(c.Passes > 0) || math.IsInf(c.Passes, 0):
		return fault.Usagef("--passes %v: want a number above 0", c.Passes)
	case c.Bands < 2:
		return fault.Usagef("--bands %d: want 2 resamples at least", c.Bands)
	case c.For != "" && !slices.Contains(show.Trainers(), c.For):
		return fault.Usagef("--for %s: want one of %s", c.For, strings.Join(show.Trainers(), ", "))
	case c.For != "" && c.JSON:
		return fault.Usagef("--for %s --json: say one; --for json writes the shares alone", c.For)
	}
	return nil
}

// numbersOf reads the values of a flag of names and numbers.
func numbersOf(flag string, of map[string]string, as func(string) (float64, error)) (map[string]float64, error) {
	out := map[string]float64{}
	for _, name := range slices.Sorted(maps.Keys(of)) {
		v, err := as(of[name])
		if err != nil {
			return nil, fmt.Errorf("--%s %s: %w", flag, name, err)
		}
		out[name] = v
	}
	return out, nil
}

func weightOf(text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%q is no weight, want for example 1 or 0.5", text)
	}
	return v, nil
}

func shareOf(text string) (float64, error) {
	t, percent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(t, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		return 0, fmt.Errorf("%q is no share, want for example 0.25 or 25%%", text)
	}
	return v, nil
}

func countOf(text string) (float64, error) {
	var c count
	err := c.UnmarshalText([]byte(text))
	return float64(c), err
}

// count is a number of tokens on the command line: 300k, 1.5B.
type count float64

// UnmarshalText is how the command line reads it.
func (c *count) UnmarshalText(text []byte) error {
	n, err := specs.ParseCount(string(text))
	if err != nil || n < 1 {
		return fmt.Errorf("%q is no number of tokens, want for example 300k or 1.5B", text)
	}
	*c = count(n)
	return nil
}
