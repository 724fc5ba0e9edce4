package page

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	p, err := Parse("# A *page* of `ablate`\n\nThis page starts where [the tutorial](../t.md) ends.\n\n## Twice\n\nSave `a.yaml`:\n\n" +
		"```yaml title=a.yaml\nablate: 1\n# no heading\n```\n\n## Twice\n\n**Needs:** Slurm.\n\n```console\n$ a \\\n  b\nout\n...\n$ c\n```\n\n`[no](link)` and [one](b.md#c).\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Headings) != 3 || p.Headings[0].Anchor != "a-page-of-ablate" || p.Headings[2].Anchor != "twice-1" {
		t.Errorf("headings %+v", p.Headings)
	}
	if p.Start != "../t.md" || len(p.Links) != 2 || p.Links[1].Target != "b.md#c" || p.Links[1].Text != "one" {
		t.Errorf("start %q, links %+v", p.Start, p.Links)
	}
	if len(p.Blocks) != 2 || p.Blocks[0].Title != "a.yaml" || p.Blocks[0].Text != "ablate: 1\n# no heading\n" || p.Blocks[1].Needs != "Slurm" {
		t.Errorf("blocks %+v", p.Blocks)
	}
	commands, err := p.Blocks[1].Commands()
	if err != nil || len(commands) != 2 || commands[0].Text != "a \\\n  b" || commands[0].Want != "out\n...\n" || commands[1].Text != "c" || commands[1].Line != 23 {
		t.Errorf("commands %+v, %v", commands, err)
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"open block":      {"```console\n$ a\n", "line 1: the block is not closed"},
		"block in a list": {"- a\n\n  ```console\n", "line 3: a fenced block starts at the first column"},
		"attribute":       {"```console run\n```\n", `line 1: "console run" is no language`},
		"file not named":  {"Save this:\n\n```yaml title=a.yaml\n```\n", "line 3: the paragraph before the block does not name `a.yaml`"},
		"needs astray":    {"**Needs:** a bucket.\n\nText.\n", "line 3: the block that needs a bucket does not follow"},
		"link elsewhere":  {"[a]: b.md\n", "line 1: a link stands where it is used"},
	} {
		if _, err := Parse(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestMatches(t *testing.T) {
	for name, c := range map[string]struct {
		want, got string
		match     bool
	}{
		"equal":          {"a\nb\n", "a\nb\n", true},
		"no line end":    {"a\n", "a", true},
		"blanks at ends": {"a\n", "a  \n", true},
		"other":          {"a\n", "b\n", false},
		"more":           {"a\n", "a\nb\n", false},
		"less":           {"a\nb\n", "a\n", false},
		"none":           {"", "", true},
		"unshown":        {"", "a\n", false},
		"cut":            {"a\n...\nd\n", "a\nb\nc\nd\n", true},
		"cut nothing":    {"a\n...\nd\n", "a\nd\n", true},
		"cut, other end": {"a\n...\nd\n", "a\nd\ne\n", false},
		"any text":       {"took … of 3\n", "took 1.2 s of 3\n", true},
		"no line end in": {"took … of 3\n", "took 1\n of 3\n", false},
		"signs":          {"a.b (c)\n", "axb (c)\n", false},
	} {
		if got := Matches(c.want, c.got); got != c.match {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAnew(t *testing.T) {
	for name, c := range map[string]struct{ want, got, anew string }{
		"all":    {"a\n", "b\n6 steps; 1.2s, 3 kB at 1.78 MB/s", "b\n6 steps; …, 3 kB at …\n"},
		"middle": {"a 1\n...\nz 1\n", "a 2\nb\nc\nz 2\n", "a 2\n...\nz 2\n"},
		"end":    {"a 1\n...\n", "a 2\nb\n", "a 2\n...\n"},
		"start":  {"...\nz 1\n", "a\nz 2\n", "...\nz 2\n"},
		"found":  {"a\n...\nm 1\n...\nz\n", "a\nb\nm 2\nn\nz\n", "a\n...\nm 2\n...\nz\n"},
	} {
		if got := Anew(c.want, c.got); got != c.anew || !Matches(got, c.got) {
			t.Errorf("%s: %q, want %q", name, got, c.anew)
		}
	}
}
