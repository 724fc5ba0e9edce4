package output

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMark(t *testing.T) {
	dir := t.TempDir()
	if err := run(dir, "small", func(*Options) {}); err != nil {
		t.Fatal(err)
	}
	m, err := ReadMark(dir)
	if err != nil || len(m.Files) == 0 {
		t.Fatal(m, err)
	}
	if wrong := m.Judge("small", m.Files); len(wrong) > 0 || len(m.Missing()) > 0 {
		t.Errorf("of a report as it was written: %q, missing %q", wrong, m.Missing())
	}
	if wrong := m.Judge("large", m.Files); len(wrong) != 1 || !strings.Contains(wrong[0], `names study "small"`) {
		t.Errorf("of another study: %q", wrong)
	}
	if err := os.WriteFile(filepath.Join(dir, "more.csv"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if wrong := m.Judge("small", append(m.Files, "more.csv", "absent.csv")); len(wrong) != 1 || !strings.Contains(wrong[0], "does not list more.csv") {
		t.Errorf("of a file that is not listed: %q", wrong)
	}
	gone := m.Files[0]
	if err := os.Remove(filepath.Join(dir, gone)); err != nil {
		t.Fatal(err)
	}
	if got := m.Missing(); len(got) != 1 || got[0] != gone {
		t.Errorf("missing %q, want %s", got, gone)
	}
	if err := os.WriteFile(filepath.Join(dir, MarkFile), []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadMark(dir); err == nil || !strings.Contains(err.Error(), "is damaged") {
		t.Errorf("a mark without content: %v", err)
	}
}
