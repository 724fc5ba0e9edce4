// Command ablate decides what data to train on: it runs a study, which is one YAML file, and
// reports which mixture of a corpus's parts to choose and how far that can be trusted. README.md
// says how; this package only reads the command line, connects the rooms and settles exit codes.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/running"
	"ablate/runner"
	"ablate/runner/machine"
	"ablate/specs"
)

// Exit codes, as in docs/reference/exit-codes.md.
const (
	exitDone        = 0
	exitFailed      = 1 // a step failed, or the machine did
	exitUsage       = 2 // the study or the command line is wrong
	exitDiffers     = 3 // an audit found a difference
	exitInterrupted = 130
)

// cli is the command line.
type cli struct {
	Cache    string `help:"Cache directory (default: $$ABLATE_CACHE, else ablate in the user's cache directory)." placeholder:"DIR"`
	Upstream string `help:"Another cache, which is read after this one and never changed. Steps found there are reused." env:"ABLATE_UPSTREAM" placeholder:"DIR"`
	Remote   string `help:"A directory or s3://BUCKET/PREFIX that several machines share. A run reads missing results from the remote and writes its own results to the remote." env:"ABLATE_REMOTE" placeholder:"URL"`

	Scale string `help:"Size of the study: full, or mini for the miniature that the study defines." enum:"full,mini" default:"full"`

	Run      runCommand        `cmd:"" help:"Run a study. Steps whose results are in the cache do not run again."`
	Plan     planCommand       `cmd:"" help:"Show what a run would do and cost, without running anything."`
	Doctor   doctorCommand     `cmd:"" help:"Show what this machine can do, how fast the machine is, and what keeps a run from starting."`
	Explain  explainCommand    `cmd:"" help:"Show why a step would run: the first key input that differs from the nearest cached entry."`
	Diff     diffCommand       `cmd:"" help:"Compare two studies or two finished runs: study files, steps, results and cost."`
	Graph    graphCommand      `cmd:"" help:"Draw the plan (dot or mermaid)."`
	Audit    auditCommand      `cmd:"" help:"Check a finished run: derive every digest, key and number again, from the raw files to the report."`
	Rank     rankCommand       `cmd:"" help:"Rank mixtures by a proxy on an evaluation set, best first, with the expected loss, without training anything."`
	Fit      fitCommand        `cmd:"" help:"Fit laws that predict scores from mixtures, to runs that were made elsewhere. This command needs no study."`
	Mix      mixCommand        `cmd:"" help:"Propose shares of sources, from the scores of a study or of runs that were made elsewhere, and write the shares for a trainer, without training anything."`
	Saving   efficiencyCommand `cmd:"" name:"efficiency" help:"Show how long a study took, how long a model for every mixture would take, and what the next partition costs."`
	Report   reportCommand     `cmd:"" help:"Write the report again, from the cache alone."`
	Export   exportCommand     `cmd:"" help:"Copy a trained model, or an average of models, out of the cache."`
	Corpus   corpusCommand     `cmd:"" help:"Show the partitions and units of a study's corpora."`
	Tokens   tokensCommand     `cmd:"" help:"Encode text from standard input. Each input line is an object with a text, each output line an array of token ids."`
	Validate validateCommand   `cmd:"" help:"Check a study for mistakes."`
	Schema   schemaCommand     `cmd:"" help:"Print the JSON Schema of studies, or with --markdown the reference of every key."`
	Init     initCommand       `cmd:"" help:"Write a first study: for your files with --from, otherwise a small study that runs as it is."`
	Store    cacheCommand      `cmd:"" name:"cache" help:"Inspect, verify, copy and clear the cache."`
	Complete completionCommand `cmd:"" name:"completion" help:"Print a script that completes commands, flags and names in a shell: bash, zsh or fish."`
	Words    completeCommand   `cmd:"" name:"complete-words" hidden:"" help:"Print words that complete a command line; completion scripts run this command."`
	Version  versionCommand    `cmd:"" help:"Print the version, the commit that was built, the release of Go, and the platform."`
	Licences licencesCommand   `cmd:"" aliases:"licenses" help:"Print the licences and notices of all software that this program contains."`
}

// app is what commands share.
type app struct {
	*study.Session
	ctx            context.Context
	remoteNamed    bool // on the command line, and not by the environment
	stdout, stderr io.Writer
}

func main() { os.Exit(Main()) }

// Main runs the command line and returns the exit code.
func Main() int {
	ctx, stop := interruptible()
	defer stop()
	var c cli
	code := -1
	parser, err := kong.New(&c,
		kong.Name("ablate"),
		kong.Description("Decide what data to train on. A STUDY is a YAML file or the name of a shipped one: "+strings.Join(specs.Shipped(), ", ")+"."),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(n int) { code = n }))
	if err != nil {
		fmt.Fprintln(os.Stderr, "ablate: internal error:", err)
		return exitFailed
	}
	parsed, err := parser.Parse(os.Args[1:])
	if code >= 0 { // --help
		return code
	}
	if _, mistake := running.Weighted(os.Args[1:]); err != nil && mistake != nil {
		err = mistake // the parser takes the weight of -0.5:MODEL for a flag
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "ablate:", show.Printable(err))
		fmt.Fprintln(os.Stderr, "run `ablate --help` for the commands")
		return exitUsage
	}
	if err := machine.Here().Check(runtime.GOMAXPROCS(0)); err != nil {
		return exitCode(os.Stderr, err)
	}
	named := flagNamed(parsed, "remote")
	command, _, _ := strings.Cut(parsed.Command(), " <")
	if named && !usesRemote(command) {
		return exitCode(os.Stderr, fault.Usagef("`ablate %s` does not use --remote: leave the flag out (cache push and cache pull take the URL as an argument)", command))
	}
	out := show.NewStdout(os.Stdout)
	a := &app{ctx: ctx, remoteNamed: named, stdout: out, stderr: os.Stderr}
	a.Session = &study.Session{
		CacheDir: c.Cache, Upstream: c.Upstream, Remote: c.Remote, Scale: strings.TrimPrefix(c.Scale, "full"), Version: version,
		Tell: func(e study.Event) { show.Hear(a.stderr, e) },
	}
	err = parsed.Run(a)
	return exitCode(os.Stderr, told(err, out))
}

// told adds to how a command ended that its output was lost.
func told(err error, out *show.Stdout) error {
	lost := out.Lost()
	switch {
	case lost == nil:
		return err
	case errors.Is(err, errDiffers): // which outweighs
		fmt.Fprintln(os.Stderr, "ablate:", lost)
		return err
	case err == nil, out.Caused(err):
		return lost
	}
	return errors.Join(err, lost)
}

// flagNamed says whether a flag stands on the command line; its value may come from the
// environment, too.
func flagNamed(parsed *kong.Context, name string) bool {
	return slices.ContainsFunc(parsed.Path, func(p *kong.Path) bool { return p.Flag != nil && p.Flag.Name == name })
}

// usesRemote says whether a command looks at the remote. Any other would go on as if none were
// named, and let a person believe that it was looked at.
func usesRemote(command string) bool {
	return slices.Contains([]string{"run", "plan", "doctor", "graph", "explain", "corpus", "report", "export", "cache verify"}, command)
}

// interruptible is a context that SIGINT, SIGTERM and SIGHUP (the terminal was closed) end; a
// second signal ends the program at once.
func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, stopSignals()...)
	go func() {
		if _, ok := <-signals; ok {
			signal.Stop(signals)
			cancel(fault.ErrInterrupted)
		}
	}()
	return ctx, func() { signal.Stop(signals); close(signals); cancel(nil) }
}

// stopSignals are the signals that ask a program to stop. A hangup that the parent ignores, as
// under nohup, stays ignored.
func stopSignals() []os.Signal {
	list := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		list = append(list, syscall.SIGHUP)
	}
	return list
}

// outliveReaders makes writes to a pipe that nobody reads any more fail instead of ending the
// program: a run goes on without its audience.
func outliveReaders() { signal.Ignore(syscall.SIGPIPE) }

// exitCode prints what went wrong and says how the program should end.
func exitCode(w io.Writer, err error) int {
	var (
		mistake  specs.Error
		mistakes specs.Errors
		usage    *fault.UsageError
		failed   *runner.FailedError
	)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, fault.ErrInterrupted):
		fmt.Fprintln(w, "ablate: interrupted; finished work is kept, run the same command again to continue")
		return exitInterrupted
	case errors.Is(err, errDiffers): // told on stdout
		return exitDiffers
	case errors.As(err, &mistakes):
		fmt.Fprintln(w, show.Printable(mistakes))
		return exitUsage
	case errors.As(err, &mistake):
		fmt.Fprintln(w, show.Printable(mistake))
		return exitUsage
	case errors.As(err, &usage):
		fmt.Fprintln(w, "ablate:", show.Printable(err))
		return exitUsage
	case errors.As(err, &failed):
		fmt.Fprintln(w, show.Printable(failed))
	default:
		fmt.Fprintln(w, "ablate:", show.Printable(err))
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		fmt.Fprintln(w, "the disk is full; no result is lost: make room, or name other places with --cache and --out, then run again")
	}
	return exitFailed
}

type validateCommand struct {
	Study string `arg:"" help:"The study."`
}

func (c validateCommand) Run(a *app) error {
	s, err := a.Load(c.Study)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "%s: study %s is valid\n", s.Path, s.Name)
	return err
}

type schemaCommand struct {
	Markdown bool `help:"Print the reference of every key as Markdown instead."`
}

func (c schemaCommand) Run(a *app) error {
	text := specs.Schema()
	if c.Markdown {
		text = specs.Markdown()
	}
	_, err := a.stdout.Write(text)
	return err
}
