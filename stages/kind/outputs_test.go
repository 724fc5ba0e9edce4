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
		{"dots", "..", "%2E%2E"},
		{"dot at the end", "etc.", "etc%2E"},
		{"dot within", "a.b", "a.b"},
		{"a device", "con", "%63on"},
		{"a device with an ending", "aux.txt", "%61ux.txt"},
		{"no device", "com10,contact", "com10,contact"},
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

// Names of files have a length that every file system takes, and are not shared, whatever the case
// of letters.
func TestFileNames(t *testing.T) {
	long := strings.Repeat("A-", 50)
	seen := map[string]string{}
	for _, text := range []string{"", "a", "A", "a/b", "a_b", "a b", "é", "ë", ".", "..", "con", "nul.x", "a\nb", strings.Repeat("x", 400), strings.Repeat("x", 401)} {
		name := FileName(text)
		if other, ok := seen[strings.ToLower(name)]; ok {
			t.Errorf("%q and %q are both called %s", text, other, name)
		}
		seen[strings.ToLower(name)] = text
		if len(name) > 230 || strings.ContainsAny(name, "/\n\\ ") || name == "" || name[0] == '.' {
			t.Errorf("FileName(%q) = %q", text, name)
		}
	}
	if a, b := FigureOutput(long, long), FigureOutput(long, long[2:]); len(path.Base(a)) > 230 || a == b {
		t.Errorf("figures %s and %s", a, b)
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
		{FileName("unit/areas/net,1990-1991"), "unit_areas_net,1990-1991"},
		{FileName("unit/areas/Net"), "unit_areas_Net~bfc414e23711c48a"},
		{FileName("unit/areas_net"), "unit_areas_net~715b1dd2afe3d00d"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
