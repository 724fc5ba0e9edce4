package main

import (
	"fmt"

	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/ranking"
	"ablate/specs"
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
