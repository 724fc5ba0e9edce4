package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ablate/docs/page"
)

// spoken lists what people read: Markdown, whose prose is held against the retired words of the
// glossary, and Go files, whose strings are.
var spoken = []string{
	"docs/*.md",
	"docs/howto/*.md",
	"docs/explanation/*.md",
	"docs/reference/*.md",
	"cmd/ablate/*.go", "cmd/internal/*/*.go", "cmd/internal/study/*/*.go", // help texts, messages
	"specs/REFERENCE.md", "specs/*.go", "pipeline/*.go", "runner/*.go", "runner/*/*.go", "runner/exec/*/*.go",
	"stages/*/*.go", "stages/internal/page/*.go", "stages/internal/paper*/*.go", "stages/internal/svg/*.go", // the report, its warnings
	"cache/*.go", "cache/*/*.go", "cache/*.md", "stages/*.md", "stages/tables/*.md", "cmd/ablate/*.md",
}

// unmended lists the rest of what people read, whose words have not been mended yet: how many
// retired words they have is logged. A pattern moves to spoken when that is none.
var unmended = []string{"README.md"}

const glossary = "docs/reference/glossary.md"

// retired reads the table of retired words in the glossary: a word or phrase in the first column,
// what to write in the second.
func retired(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(top, glossary))
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(data), "\n## Retired words\n")
	words := map[string]string{}
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 2 || !strings.HasPrefix(line, "| `") {
			continue
		}
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[0], -1) {
			words[m[1]] = strings.TrimSpace(cells[1])
		}
	}
	if !ok || len(words) < 10 {
		t.Fatalf("%s: %d retired words", glossary, len(words))
	}
	return words
}

func TestRetiredWords(t *testing.T) {
	words := retired(t)
	for _, pattern := range spoken {
		if uses, files := wordsIn(t, words, pattern); files == 0 {
			t.Errorf("%s: no such files", pattern)
		} else {
			for _, u := range uses {
				t.Errorf("%s: %q is a retired word: write %s", u.place, u.word, words[u.word])
			}
		}
	}
	for _, pattern := range unmended {
		uses, _ := wordsIn(t, words, pattern)
		t.Logf("%s: %d retired words", pattern, len(uses))
		for _, u := range uses {
			t.Logf("\t%s: %s", u.place, u.word)
		}
	}
}

// formats names the retired words that stand in formats: members of JSON, lines of files in a cache,
// roles of inputs. They are as old as the formats, and stay. Pages and Go files of these rooms may
// name them.
var formats = map[string][]string{
	"ingredient":  {"cache/FORMAT.md", "pipeline/explain.go"},
	"ingredients": {"cache/FORMAT.md", "cache/entry.go", "cache/parse.go"},
	"beat":        {"cache/FORMAT.md", "cache/root.go", "cache/claim.go"},
	"moments": {"cache/FORMAT.md", "pipeline/scale.go", "specs/comments.go", "specs/REFERENCE.md", "stages/CHECKPOINTS.md",
		"stages/kind/params.go", "stages/train/kind.go", "stages/train/train.go"}, // a role, and AdamW's own term
}

// use is a place where a retired word stands.
type use struct{ place, word string }

// wordsIn finds retired words in the files of a pattern, tests aside.
func wordsIn(t *testing.T, words map[string]string, pattern string) (uses []use, files int) {
	t.Helper()
	patterns := map[string]*regexp.Regexp{}
	for w := range words { // a word of its own: not the end of a file's name, as in main.go by
		patterns[w] = regexp.MustCompile(`(?i)(^|[^\w./-])` + strings.ReplaceAll(regexp.QuoteMeta(w), " ", `\s+`) + `\b`)
	}
	check := func(name string, line int, text string) {
		for _, w := range slices.Sorted(maps.Keys(words)) {
			if patterns[w].MatchString(text) && !slices.Contains(formats[w], name) {
				uses = append(uses, use{fmt.Sprintf("%s:%d", name, line), w})
			}
		}
	}
	names, err := filepath.Glob(filepath.Join(top, filepath.FromSlash(pattern)))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range names {
		name, err := filepath.Rel(top, file)
		if err != nil {
			t.Fatal(err)
		}
		switch name = filepath.ToSlash(name); {
		case strings.HasSuffix(name, ".md"):
			for _, l := range prose(parse(t, name), name) {
				check(name, l.Number, l.Text)
			}
		case strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go"):
			set := token.NewFileSet()
			f, err := parser.ParseFile(set, file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if lit, is := n.(*ast.BasicLit); is && lit.Kind == token.STRING {
					if text, err := strconv.Unquote(lit.Value); err == nil {
						check(name, set.Position(lit.Pos()).Line, text)
					}
				}
				return true
			})
		}
	}
	return uses, len(names)
}

// prose is the prose of a page, each paragraph from its first line, so that a phrase is found
// across the end of a line; the glossary's own list of retired words is left out.
func prose(p *page.Page, name string) []page.Line {
	var out []page.Line
	open := false
	for _, l := range p.Prose {
		if name == glossary && l.Text == "## Retired words" {
			break
		}
		switch {
		case strings.TrimSpace(l.Text) == "":
			open = false
		case open && !strings.HasPrefix(l.Text, "|"):
			out[len(out)-1].Text += "\n" + l.Text
		default:
			out, open = append(out, l), true
		}
	}
	return out
}

// The words are found where they stand, and only as whole words.
func TestRetiredWordsAreFound(t *testing.T) {
	p, err := page.Parse("# A\n\nWhat is goes\nby years, `predict`.\n")
	if err != nil {
		t.Fatal(err)
	}
	lines := prose(p, "a.md")
	if len(lines) != 2 || !regexp.MustCompile(`goes\s+by`).MatchString(lines[1].Text) || strings.Contains(lines[1].Text, "predict") {
		t.Errorf("read as %+v", lines)
	}
}
