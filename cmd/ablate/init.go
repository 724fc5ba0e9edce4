package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"ablate/cmd/internal/output"
	"ablate/cmd/internal/proposal"
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/sources"
	"ablate/specs"
	"ablate/specs/arch"
	"ablate/stages/survey"
)

type initCommand struct {
	Files []string `arg:"" optional:"" name:"file" help:"File to write (default: study.yaml)."`

	From    []string          `help:"Text to divide: a folder, a file, or a pattern in quotes such as 'data/*.jsonl.gz' (JSON Lines, Parquet or plain text, compressed or not). Repeat the flag for more." placeholder:"FILES" sep:"none"`
	Seed    []string          `help:"Text for the seed model, where all models start (default: the text to divide)." placeholder:"FILES" sep:"none"`
	Eval    map[string]string `help:"An evaluation set: its name and its files. Repeat the flag for more." placeholder:"NAME=FILES" mapsep:"none"`
	Text    string            `help:"Field that holds the text of a document (default: init looks for one)." placeholder:"FIELD"`
	ID      string            `name:"id" help:"Field that holds the identity of a document (default: init looks for one)." placeholder:"FIELD"`
	By      string            `help:"Field whose values are the partitions (default: init looks for one)." placeholder:"FIELD"`
	Order   string            `help:"Field that orders the documents of a partition, such as a year (default: init looks for one)." placeholder:"FIELD"`
	Minutes float64           `help:"Minutes that the whole study may take on this machine." default:"10" placeholder:"N"`
	Schema  bool              `help:"Also write ablate.schema.json beside the study: the JSON Schema with which editors complete and check the study."`
}

// schemaFile is the name under which a study's first line expects the JSON Schema.
const schemaFile = "ablate.schema.json"

// Run writes a study: one that is made for files, or a small one that runs as it is, to be changed.
func (cmd initCommand) Run(a *app) error {
	file, err := cmd.file()
	if err != nil {
		return fault.Usage(err)
	}
	if cmd.Schema && output.IsStdout(file) {
		return fault.Usage(errors.New("--schema writes a file beside the study: name a file for the study instead of standard output"))
	}
	files := []string{file}
	if cmd.Schema {
		files = append(files, filepath.Join(filepath.Dir(file), schemaFile))
	}
	for _, f := range files { // before the work
		if info, err := os.Lstat(f); err == nil && info.Mode().IsRegular() {
			return fault.Usage(thereAlready(f))
		}
	}
	study, err := cmd.study(a, file)
	if err != nil {
		return err
	}
	if err := create(file, study); err != nil {
		return err
	}
	if cmd.Schema {
		if err := create(files[1], specs.Schema()); err != nil {
			return err
		}
	}
	if output.IsStdout(file) {
		return nil
	}
	_, err = fmt.Fprintf(a.stdout, "%s: try `ablate plan %s`, then `ablate run %s`\n", file, file, file)
	return err
}

// create writes a file that is not there yet.
func create(file string, data []byte) error {
	err := output.New(file, data)
	if errors.Is(err, fs.ErrExist) {
		err = thereAlready(file)
	}
	return fault.Place(err)
}

func thereAlready(file string) error {
	return fmt.Errorf("%s exists, and init replaces no file: name another file", file)
}

// file is the file to write. Several arguments, or a file of data, mean that the shell replaced a
// pattern by the files that it matches.
func (cmd initCommand) file() (string, error) {
	switch {
	case len(cmd.Files) == 0:
		return "study.yaml", nil
	case len(cmd.Files) == 1 && (len(cmd.From) == 0 || specs.FormatOfName(cmd.Files[0]) == ""):
		return cmd.Files[0], nil
	case len(cmd.From) > 0:
		return "", fmt.Errorf("init writes one file, and %s is not where to write a study: put the pattern of --from into quotes, such as --from 'data/*.jsonl.gz', so that the shell does not replace it by the files that it matches", cmd.Files[len(cmd.Files)-1])
	}
	return "", fmt.Errorf("init writes one file, %d are named: %s; for a study of your files write --from before each of them", len(cmd.Files), strings.Join(cmd.Files, ", "))
}

// study is the text of the study.
func (cmd initCommand) study(a *app, file string) ([]byte, error) {
	if len(cmd.From) == 0 {
		if cmd.Seed != nil || cmd.Eval != nil || cmd.Text+cmd.ID+cmd.By+cmd.Order != "" {
			return nil, fault.Usage(errors.New("--seed, --eval, --text, --id, --by and --order say how the text of --from is used: give --from, too"))
		}
		return template()
	}
	if !(cmd.Minutes > 0) || cmd.Minutes > 1e6 {
		return nil, fault.Usagef("--minutes %g: want a number above 0", cmd.Minutes)
	}
	p, err := proposal.New(a.ctx, proposal.Request{
		Study: studyName(file), Dir: filepath.Dir(file), From: cmd.From, Seed: cmd.Seed, Eval: cmd.evaluation(),
		Text: cmd.Text, ID: cmd.ID, By: cmd.By, Order: cmd.Order, Minutes: cmd.Minutes, Schema: schemaFile,
		Lookup: sources.Environment, Speed: func(m arch.Model) (float64, error) {
			return survey.Speed(m, runtime.GOMAXPROCS(0), probeTime)
		},
	})
	if err != nil {
		if fault.OfMachine(err) {
			return nil, err
		}
		return nil, fault.Usage(err)
	}
	show.Notes(a.stderr, p.Notes)
	return p.YAML(), nil
}

// probeTime is how long a model is trained to measure the speed of this machine. Four models are
// measured at most.
const probeTime = 300 * time.Millisecond

func (cmd initCommand) evaluation() []proposal.Named {
	var list []proposal.Named
	for _, name := range slices.Sorted(maps.Keys(cmd.Eval)) {
		list = append(list, proposal.Named{Name: name, From: cmd.Eval[name]})
	}
	return list
}

// studyName is the name of a study that is written to a file.
func studyName(file string) string {
	base := filepath.Base(file)
	return proposal.Identifier(strings.TrimSuffix(base, filepath.Ext(base)))
}

// template is the study that init writes where no files are named.
func template() ([]byte, error) {
	study, err := specs.ShippedText("smoke")
	if err != nil {
		return nil, fmt.Errorf("internal error: %w", err)
	}
	return append([]byte(templateHead), study...), nil
}

// templateHead says what is to be changed.
const templateHead = `# A small study that runs as it is, on the source code of Go. To make it a study of your own text, change
#   corpora.*.files      to your files, and corpora.go.metadata to what your documents have
#   partitions.areas     to the metadata that divides them, with units: how many base units each part has (or remove units)
#   model, seed_model, train, and eval.out_of_domain
# or let ` + "`ablate init --from 'data/*.jsonl.gz'`" + ` write a study for your files.
`
