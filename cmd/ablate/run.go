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
	"ablate/cmd/internal/study/running"
)

type runCommand struct {
	Studies     []string      `arg:"" name:"study" help:"YAML files, or names of shipped studies. Several run one after the other, share what is the same, and end in one table."`
	Corpus      bool          `help:"Tokenize and split the corpora, show what they are, and train nothing."`
	Out         string        `help:"Where the report goes (default: out/STUDY); of several studies, below it (DIR/STUDY)." placeholder:"DIR"`
	Losses      bool          `help:"Leave losses.parquet beside the report, too: the loss of every document by every model behind a score, one table."`
	Table       string        `help:"Leave the table that compares the studies with each other and with the paper here, as Markdown." placeholder:"FILE"`
	Jobs        int           `help:"Steps at once at most (default: one per thread)." placeholder:"N"`
	Threads     int           `help:"Processors to use (default: all). Results do not depend on it." placeholder:"N"`
	Memory      size          `help:"Memory to use, as 6GB (default: four fifths of the machine's). Trainings that need more compute parts of it twice, or wait for each other. Results do not depend on it." placeholder:"SIZE"`
	FailFast    bool          `help:"After a failure start nothing more; otherwise all that does not need the failed step goes on."`
	SaveEvery   time.Duration `default:"1m" help:"How often a training under way is saved; a kill loses no more than that." placeholder:"TIME"`
	IgnoreSpace bool          `help:"Run though the disk of the cache or of the report seems too small for what the run will leave."`
	Force       bool          `help:"Write the report into a folder that holds files which no run of ablate wrote, and replace those of them that have names of the report's."`
	JSON        bool          `help:"Print the events of the run as JSON lines instead of the result."`
	Quiet       bool          `short:"q" help:"Show failures and the result only."`
}

// Run runs studies, one after the other.
func (cmd runCommand) Run(a *app) error {
	switch {
	case cmd.Jobs < 0 || cmd.Threads < 0 || cmd.SaveEvery < 0:
		return fault.Usagef("--jobs %d --threads %d --save-every %s: want none below 0", cmd.Jobs, cmd.Threads, cmd.SaveEvery)
	case cmd.Table != "" && cmd.Corpus:
		return fault.Usage(errors.New("--table compares trained models, and --corpus trains none: take one of them"))
	case cmd.Losses && cmd.Corpus:
		return fault.Usage(errors.New("--losses writes losses of trained models, and --corpus trains none: take one of them"))
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
