package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestReference holds docs/reference/commands.md against the parser of the command line; -update
// writes it.
func TestReference(t *testing.T) {
	parser, err := kong.New(&cli{}, kong.Name("ablate"))
	if err != nil {
		t.Fatal(err)
	}
	want := reference(parser.Model.Node)
	file := filepath.FromSlash("../../docs/reference/commands.md")
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != want {
		t.Errorf("%s is not what the command line is (%v): run `go test ./cmd/ablate -run Reference -update`", file, err)
	}
}

// reference is the command line as a page of Markdown: the flags that every command has, and a
// section for each command.
func reference(top *kong.Node) string {
	var b strings.Builder
	b.WriteString("# Commands\n\nThis page is generated from the program's own command line; `ablate COMMAND --help` prints the same.\n" +
		"[Exit codes](exit-codes.md) and [environment variables](environment.md) have pages of their own.\n\n")
	b.WriteString("| command | what it does |\n| --- | --- |\n")
	leaves := top.Leaves(true)
	for _, c := range leaves {
		name := fullName(c)
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s |\n", name, strings.ReplaceAll(name, " ", "-"), cell(c.Help))
	}
	b.WriteString("\n## Flags of every command\n\n")
	flags(&b, top.Flags)
	for _, c := range leaves {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n```text\n%s\n```\n", fullName(c), cell(c.Help), usage(c))
		if len(c.Positional) > 0 {
			b.WriteString("\n| argument | meaning |\n| --- | --- |\n")
			for _, p := range c.Positional {
				fmt.Fprintf(&b, "| `%s` | %s |\n", argument(p), cell(p.Help))
			}
		}
		if len(c.Flags) > 0 {
			b.WriteString("\n")
			flags(&b, c.Flags)
		}
	}
	return b.String()
}

// fullName is how a command is called: ablate cache ls.
func fullName(c *kong.Node) string {
	if c.Parent == nil {
		return c.Name
	}
	return fullName(c.Parent) + " " + c.Name
}

// usage is a command with its arguments, and the flags that must be given.
func usage(c *kong.Node) string {
	parts := []string{fullName(c)}
	for _, p := range c.Positional {
		parts = append(parts, argument(p))
	}
	for _, f := range c.Flags {
		if f.Required {
			parts = append(parts, "--"+f.Name+"="+f.FormatPlaceHolder())
		}
	}
	if len(c.Flags) > 0 {
		parts = append(parts, "[flags]")
	}
	return strings.Join(parts, " ")
}

func argument(p *kong.Positional) string {
	name := strings.ToUpper(p.Name)
	if p.IsCumulative() {
		name += "..."
	}
	if !p.Required {
		name = "[" + name + "]"
	}
	return name
}

func flags(b *strings.Builder, list []*kong.Flag) {
	b.WriteString("| flag | meaning | default |\n| --- | --- | --- |\n")
	for _, f := range list {
		if f.Hidden {
			continue
		}
		name := "--" + f.Name
		if !f.IsBool() {
			placeholder := strings.Trim(f.FormatPlaceHolder(), `"`)
			if f.Default != "" && placeholder == f.Default {
				placeholder = strings.ToUpper(f.Name)
			}
			name += "=" + placeholder
		}
		if f.Short != 0 {
			name = fmt.Sprintf("-%c, %s", f.Short, name)
		}
		help := f.Help
		if f.Enum != "" {
			help += " One of: " + strings.Join(strings.Split(f.Enum, ","), ", ") + "."
		}
		ends := ""
		if f.HasDefault && f.Default != "" {
			ends = "`" + f.Default + "`"
		}
		if len(f.Envs) > 0 {
			ends = strings.TrimSpace(ends + " `$" + strings.Join(f.Envs, "`, `$") + "`")
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", name, cell(help), ends)
	}
}

// cell is text inside a table: signs that Markdown reads otherwise are escaped, and code spans are
// kept.
func cell(text string) string {
	parts := strings.Split(text, "`")
	for i := range parts {
		parts[i] = strings.ReplaceAll(parts[i], "|", `\|`)
		if i%2 == 0 {
			parts[i] = strings.NewReplacer("*", `\*`, "<", `\<`, "_", `\_`).Replace(parts[i])
		}
	}
	return strings.Join(parts, "`")
}

// The version that is cited is the version that the program prints.
func TestCitation(t *testing.T) {
	data, err := os.ReadFile("../../CITATION.cff")
	if err != nil {
		t.Fatal(err)
	}
	if want := "\nversion: " + version + "\n"; !strings.Contains(string(data), want) {
		t.Errorf("CITATION.cff has no line %q", want)
	}
}
