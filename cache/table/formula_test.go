package table

import "testing"

// No cell begins as a formula does, and each gives its text back.
func TestCSVText(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "alpha": "alpha", "'": "'", "'tis": "'tis", "a=b": "a=b",
		"=HYPERLINK(1)": "'=HYPERLINK(1)", "+1": "+1", "-3.5e-7": "-3.5e-7", "-1+2": "'-1+2", "-x": "'-x", "@x": "'@x", "\tx": "'\tx", "\rx": "'\rx", "＝x": "'＝x",
		"'=x": "''=x", "''=x": "'''=x",
	} {
		cell := CSVText(text)
		if cell != want || ParseCSVText(cell) != text {
			t.Errorf("%q is written %q and read %q, want %q", text, cell, ParseCSVText(cell), want)
		}
	}
}

func FuzzCSVText(f *testing.F) {
	f.Add("'=x")
	f.Fuzz(func(t *testing.T, text string) {
		cell := CSVText(text)
		if ParseCSVText(cell) != text || isFormula(cell) {
			t.Errorf("%q is written %q and read %q", text, cell, ParseCSVText(cell))
		}
	})
}
