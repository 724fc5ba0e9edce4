package kind

import (
	"path"
	"strings"
	"testing"
)

func TestEscape(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"plain", "crypto", "crypto"},
		{"slash", "net/http", "net%2Fhttp"},
		{"capitals", "ComputerScience", "!computer!science"},
		{"year range", "Biology,1970-1993", "!biology,1970-1993"},
		{"empty", "", "%"},
		{"dot", ".", "%2E"},
		{"dots", "..", "%2E."},
		{"percent, bang and plus", "%!+", "%25%21%2B"},
		{"space and accent", "é x", "%C3%A9%20x"},
		{"zero and not UTF-8", "\x00\xff", "%00%FF"},
		{"long", strings.Repeat("a", 201), strings.Repeat("a", 200) + "+/a"},
		{"long with a dot at the break", strings.Repeat("a", 200) + ".", strings.Repeat("a", 200) + "+/%2E"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Escape(c.text)
			if got != c.want {
				t.Errorf("Escape(%q) = %q, want %q", c.text, got, c.want)
			}
			if path.Clean(got) != got || path.IsAbs(got) {
				t.Errorf("Escape(%q) = %q is not a clean relative path", c.text, got)
			}
			back, err := Unescape(got)
			if err != nil || back != c.text {
				t.Errorf("Unescape(%q) = %q, %v, want %q", got, back, err, c.text)
			}
		})
	}
}

func TestUnescapeRefuses(t *testing.T) {
	for _, text := range []string{"", "Art", "%zz", "%2f", "%61", "a!", "a%2", "a/b", "a+/b"} {
		if got, err := Unescape(text); err == nil {
			t.Errorf("Unescape(%q) = %q, want an error", text, got)
		}
	}
}

func FuzzEscape(f *testing.F) {
	f.Add("net/http")
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		got := Escape(text)
		if back, err := Unescape(got); err != nil || back != text {
			t.Errorf("Unescape(Escape(%q)) = %q, %v", text, back, err)
		}
		for _, piece := range strings.Split(got, "/") {
			if len(piece) > maxComponent+1 || piece == "" || piece[0] == '.' {
				t.Errorf("Escape(%q) = %q has the component %q", text, got, piece)
			}
		}
	})
}

func TestOutputs(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{UnitOutput("net/http", 3), "units/net%2Fhttp/3.arrow"},
		{TestOutput("go"), "test/go.arrow"},
		{ValidationOutput("go"), "validation/go.arrow"},
		{FigureOutput("pairs", "in-domain"), "figures/pairs-in-domain.svg"},
		{FigureOutput("pairs-in", "domain"), "figures/pairs%2Din-domain.svg"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
