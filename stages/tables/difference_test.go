package tables

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ablate/cache/checkpoint"
	"ablate/cache/table"
)

var differ = Differ{"losses.parquet": RowsDiffer[LossRow]}

func TestDifference(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, write func(path string) error) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := write(path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := func(name, s string) string {
		return file(name, func(path string) error { return os.WriteFile(path, []byte(s), 0o666) })
	}
	losses := func(name string, rows ...LossRow) string {
		return file(name, func(path string) error { return table.WriteRows(path, rows) })
	}
	model := func(name string, data ...float32) string {
		return file(name, func(path string) error {
			return checkpoint.Write(path, []checkpoint.Tensor{{Name: "w", Shape: []int{len(data)}, Data: data}}, nil)
		})
	}
	for _, c := range []struct{ name, made, given, want string }{
		{"losses.parquet", losses("a1", LossRow{ID: "x", Nats: 1}, LossRow{ID: "y", Nats: 2}), losses("a2", LossRow{ID: "x", Nats: 1}, LossRow{ID: "y", Nats: 3}), `row 2, column nats: "3" there, "2" made again`},
		{"losses.parquet", losses("b1", LossRow{ID: "x"}), losses("b2", LossRow{ID: "x"}, LossRow{ID: "y"}), "2 rows there, 1 made again"},
		{"model.safetensors", model("c1", 1, 2, 3), model("c2", 1, 5, 6), "tensor w differs first in element 1 of 3: 5 there, 2 made again (2 elements of it differ)"},
		{"model.safetensors", model("d1", 1), model("d2", 1, 2), "tensor w has shape [2] there, [1] made again"},
		{"report.html", text("e1", "a\nbcd\n"), text("e2", "a\nbXd\n"), `line 2, byte 2: "bXd" there, "bcd" made again`},
		{"report.html", text("f1", "a\n"), text("f2", "a\n\n"), "3 lines there, 2 made again"},
		{"tokens.arrow", text("g1", "a\x00b"), text("g2", "a\x00c"), "byte 2 is the first that differs; 3 bytes there, 3 made again"},
		{"losses.parquet", losses("h1", LossRow{ID: "x"}), text("h2", "no table"), "h2"},
	} {
		if got := differ.Difference(c.name, c.made, c.given); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
