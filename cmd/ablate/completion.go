package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"ablate/specs"
)

// completionCommand prints the script of a shell. The script asks the hidden command below for the
// words, so that it never needs to change with the commands. The libraries that do this for kong
// bring one script for all shells, or none for fish.
type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish. For bash: source <(ablate completion bash); for zsh, behind compinit: source <(ablate completion zsh); for fish: ablate completion fish | source."`
}

func (c completionCommand) Run(a *app) error {
	_, err := fmt.Fprint(a.stdout, completionScripts[c.Shell])
	return err
}

// completeCommand prints the words that can stand where the last of its arguments begins, one a
// line, with a tab and what the word means where there is something to say.
type completeCommand struct {
	Words []string `arg:"" optional:"" passthrough:""`
}

// Lines that ask the shell for names of its own.
const (
	completeFiles   = ":files"
	completeFolders = ":dirs"
)

func (c completeCommand) Run(a *app, parsed *kong.Context) error {
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	for _, line := range completions(parsed.Model.Node, words) {
		if _, err := fmt.Fprintln(a.stdout, line); err != nil {
			return err
		}
	}
	return nil
}

// typed is a command line as far as it is written.
type typed struct {
	node  *kong.Node  // the command
	value *kong.Value // of the flag that the next word belongs to; nil: none
	args  []string    // positional arguments of the command
}

// completions are the lines for the last of words.
func completions(root *kong.Node, words []string) []string {
	if len(words) == 0 {
		words = []string{""}
	}
	t, last := typed{node: root}, words[len(words)-1]
	for _, w := range words[:len(words)-1] {
		t.take(w)
	}
	var lines []string
	name, value, assigned := strings.Cut(last, "=")
	switch {
	case t.value != nil:
		lines = t.values(t.value, strings.TrimPrefix(last, "=")) // bash makes a word of the sign
		return matching(lines, strings.TrimPrefix(last, "="))
	case strings.HasPrefix(last, "--") && assigned:
		if f := t.flag(name); f != nil {
			for _, v := range matching(t.values(f.Value, value), value) {
				if !strings.HasPrefix(v, ":") {
					v = name + "=" + v
				}
				lines = append(lines, v)
			}
		}
		return lines
	case strings.HasPrefix(last, "-"):
		for n := t.node; n != nil; n = n.Parent {
			for _, f := range n.Flags {
				if !f.Hidden {
					lines = append(lines, withHelp("--"+f.Name, f.Help))
				}
			}
		}
	case len(t.node.Children) > 0 && len(t.args) == 0: // else there is no such command
		for _, c := range t.node.Children {
			if !c.Hidden {
				lines = append(lines, withHelp(c.Name, c.Help))
			}
		}
	case len(t.node.Positional) > 0:
		if p := t.node.Positional[min(len(t.args), len(t.node.Positional)-1)]; len(t.args) < len(t.node.Positional) || p.IsSlice() {
			lines = t.values(p, last)
		}
	}
	return matching(lines, last)
}

// withHelp is a word with the first sentence of its help.
func withHelp(word, help string) string {
	help, _, _ = strings.Cut(help, ". ")
	return word + "\t" + strings.TrimSuffix(strings.ReplaceAll(help, "\n", " "), ".")
}

// matching are the lines that begin as a person has begun, and those that are for the shell.
func matching(lines []string, begun string) []string {
	return slices.DeleteFunc(lines, func(l string) bool { return l != completeFiles && l != completeFolders && !strings.HasPrefix(l, begun) })
}

// take takes a whole word.
func (t *typed) take(word string) {
	switch {
	case t.value != nil:
		if word != "=" {
			t.value = nil
		}
	case strings.HasPrefix(word, "-") && len(word) > 1:
		name, _, assigned := strings.Cut(word, "=")
		if f := t.flag(name); f != nil && !assigned && !f.IsBool() {
			t.value = f.Value
		}
	default:
		for _, c := range t.node.Children {
			if c.Name == word || slices.Contains(c.Aliases, word) {
				t.node = c
				return
			}
		}
		t.args = append(t.args, word)
	}
}

// flag is a flag of the command or of all commands, as it is written.
func (t *typed) flag(word string) *kong.Flag {
	for n := t.node; n != nil; n = n.Parent {
		for _, f := range n.Flags {
			if word == "--"+f.Name || f.Short != 0 && word == "-"+string(f.Short) {
				return f
			}
		}
	}
	return nil
}

// values are the words that a flag or an argument can have.
func (t *typed) values(v *kong.Value, begun string) []string {
	placeholder := ""
	if v.Flag != nil {
		placeholder = v.Flag.PlaceHolder
	}
	switch {
	case v.Enum != "":
		return v.EnumSlice()
	case v.Name == "study", v.Name == "a", v.Name == "b":
		return append(specs.Shipped(), completeFiles)
	case v.Name == "step", v.Name == "model":
		return t.steps()
	case placeholder == "FILE", placeholder == "FILES", v.Name == "file":
		return []string{completeFiles}
	case placeholder == "DIR", v.Name == "url", v.Name == "remote", v.Name == "out":
		return []string{completeFolders}
	}
	return nil
}

// steps are those of the study's last run, as far as its report lies where run leaves it: to plan
// the study would mean to read its data.
func (t *typed) steps() []string {
	if len(t.args) == 0 {
		return nil
	}
	s, err := specs.Load(t.args[0])
	if err != nil {
		return nil
	}
	data, err := os.ReadFile(filepath.Join("out", filepath.FromSlash(s.Name), "plan.json"))
	if err != nil {
		return nil
	}
	var plan struct {
		Steps []struct{ ID, Kind string }
	}
	if json.Unmarshal(data, &plan) != nil {
		return nil
	}
	var ids []string
	for _, step := range plan.Steps {
		if t.node.Name != "export" || step.Kind == "train" {
			ids = append(ids, withHelp(step.ID, step.Kind))
		}
	}
	return ids
}

// completionScripts are the scripts of the shells, by name.
var completionScripts = map[string]string{"bash": completionBash, "zsh": completionZsh, "fish": completionFish}

//go:embed completion/ablate.bash
var completionBash string

//go:embed completion/ablate.zsh
var completionZsh string

//go:embed completion/ablate.fish
var completionFish string
