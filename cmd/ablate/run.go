package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"time"

	"ablate/cmd/internal/output"
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/reporting"
	"ablate/cmd/internal/study/running"
)

type runCommand struct {
	Studies     []string      `arg:"" name:"study" help:"YAML files, or names of shipped studies. Several studies run one after the other and share equal steps. One table compares them at the end."`
	Corpus      bool          `help:"Only tokenize and split the corpora, and show their partitions and units."`
	Out         string        `help:"Folder of the report (default: out/STUDY). With several studies, each report has a folder of its own below DIR (DIR/STUDY)." placeholder:"DIR"`
	Losses      bool          `help:"Also write losses.parquet beside the report: one table with the loss of every document under every model behind a score."`
	Table       string        `help:"File for the table that compares the studies with each other and with the paper, as Markdown." placeholder:"FILE"`
	Jobs        int           `help:"Largest number of steps that run at once (default: one per thread)." placeholder:"N"`
	Threads     int           `help:"Processors to use (default: all). Results do not depend on their number." placeholder:"N"`
	Memory      size          `help:"Memory to use, such as 6GB (default: four fifths of the machine's). Trainings that need more memory use activation checkpointing or wait for each other. Results do not depend on the memory." placeholder:"SIZE"`
	FailFast    bool          `help:"After a failed step, start no further steps. Without this flag, steps that do not need the failed step still run."`
	SaveEvery   time.Duration `default:"1m" help:"Time between two saves of a running training. A killed run loses at most this much work per training." placeholder:"TIME"`
	IgnoreSpace bool          `help:"Run even if the disk of the cache or of the report seems too small for the files of the run."`
	Force       bool          `help:"Write the report even if its folder holds files that ablate did not write. Files that have the name of a file of the report are replaced."`
	JSON        bool          `help:"Print the events of the run as JSON lines instead of the result."`
	Quiet       bool          `short:"q" help:"Show failures and the result only."`
}

// Run runs studies, one after the other.
func (cmd runCommand) Run(a *app) error {
	switch {
	case cmd.Jobs < 0 || cmd.Threads < 0 || cmd.SaveEvery < 0:
		return fault.Usagef("--jobs %d --threads %d --save-every %s: none of them can be below 0", cmd.Jobs, cmd.Threads, cmd.SaveEvery)
	case cmd.Table != "" && cmd.Corpus:
		return fault.Usage(errors.New("--table compares trained models, and --corpus trains none: use only one of the two flags"))
	case cmd.Losses && cmd.Corpus:
		return fault.Usage(errors.New("--losses writes losses of trained models, and --corpus trains none: use only one of the two flags"))
	}
	outliveReaders()
	a.Resources = study.Resources{Threads: cmd.Threads, Memory: int64(cmd.Memory)}.WithDefaults()
	if a.Memory > 0 {
		// What a step leaves behind must go before the next one's memory comes; otherwise the
		// collector would let the heap double first.
		debug.SetMemoryLimit(min(a.Memory, debug.SetMemoryLimit(-1)))
	}
	shown := &show.Run{Out: a.stdout, Err: a.stderr, Quiet: cmd.Quiet, JSON: cmd.JSON, Several: len(cmd.Studies) > 1}
	a.Tell = shown.Hear
	x, err := running.Run(a.ctx, a.Session, running.Options{
		Studies: cmd.Studies, Corpus: cmd.Corpus, Out: cmd.Out, Losses: cmd.Losses, Table: cmd.Table, Jobs: cmd.Jobs, SaveEvery: cmd.SaveEvery,
		FailFast: cmd.FailFast, IgnoreSpace: cmd.IgnoreSpace, Force: cmd.Force,
		Compare: !cmd.JSON && !cmd.Corpus && (len(cmd.Studies) > 1 || cmd.Table != ""),
	})
	if x == nil {
		return err
	}
	return errors.Join(err, cmd.compare(a, x))
}

// compare prints the table of several studies, and leaves it as Markdown where it was asked for.
func (cmd runCommand) compare(a *app, x *running.Comparison) error {
	show.Comparison(a.stdout, x)
	fmt.Fprintf(a.stderr, "%d steps: %d were in the cache, %d ran; %.2fs\n", x.Steps, x.Steps-x.Ran, x.Ran, x.Took.Seconds())
	if cmd.Table == "" {
		return nil
	}
	if err := output.Write(cmd.Table, show.ComparisonPage(x, filepath.Dir(cmd.Table))); err != nil {
		return fault.Place(fmt.Errorf("--table %s: %w", cmd.Table, err))
	}
	_, err := fmt.Fprintf(a.stdout, "table: %s\n", cmd.Table)
	return err
}

type reportCommand struct {
	Study  string `arg:"" help:"A YAML file, or the name of a shipped study."`
	Out    string `help:"Folder of the report (default: out/STUDY)." placeholder:"DIR"`
	Force  bool   `help:"Write the report even if its folder holds files that ablate did not write. Files that have the name of a file of the report are replaced."`
	Losses bool   `help:"Also write losses.parquet beside the report: one table with the loss of every document under every model behind a score."`
}

// Run writes the report of a finished study again.
func (cmd reportCommand) Run(a *app) error {
	r, err := reporting.Again(a.ctx, a.Session, cmd.Study, reporting.Options{Out: cmd.Out, Force: cmd.Force, Losses: cmd.Losses})
	if err != nil {
		return err
	}
	return show.Result(a.stdout, r)
}
