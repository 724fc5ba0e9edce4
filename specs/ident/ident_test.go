package ident

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	for _, c := range []struct {
		name, partition, want string
		fields                int
	}{
		{"plain", "ComputerScience", "ComputerScience", 1},
		{"space within", "Computer Science", "Computer Science", 1},
		{"accents", "Économie", "Économie", 1},
		{"slash", "net/http", "net/http", 1},
		{"dash, dot, colon, comma, at, hash", "a-b.c: d, e@f #2", "a-b.c: d, e@f #2", 1},
		{"percent", "100% wool", "100% wool", 1},
		{"plus", "C++", "C%2B%2B", 1},
		{"as an escape", "a%2Bb", "a%252Bb", 1},
		{"as the empty name", "%", "%25", 1},
		{"empty", "", "%", 1},
		{"as a unit by number", "cs/0", "cs%2F0", 1},
		{"as a unit by range", "Biology,2005-2007", "Biology%2C2005-2007", 1},
		{"as a unit by range, counted", "Biology,-5--3#2", "Biology%2C-5--3#2", 1},
		{"comma and dash, no range", "Law, Politics-1990", "Law, Politics-1990", 1},
		{"as a replicate", "x@2", "x%402", 1},
		{"as a weight", "12:30", "12%3A30", 1},
		{"lines and space at the ends", " a\nb\t", "%20a%0Ab%09", 1},
		{"line separator", "a\u2028b", "a%E2%80%A8b", 1},
		{"not UTF-8", "a\xffb", "a%FFb", 1},
		{"two fields", "Biology/2005", "Biology/2005", 2},
		{"two fields, a slash in one", "net%2Fhttp/0", "net%2Fhttp/0", 2},
		{"two fields, a plus in one", "C++/0", "C%2B%2B/0", 2},
		{"two empty fields", "/", "/", 2},
		{"folded into one without a slash", "other", "other", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Text(c.partition, c.fields)
			if got != c.want {
				t.Errorf("Text(%q) = %q, want %q", c.partition, got, c.want)
			}
			if back, err := ParseText(got, c.fields); c.partition != "C++/0" && (err != nil || back != c.partition) {
				t.Errorf("ParseText(%q) = %q, %v, want %q", got, back, err, c.partition)
			}
		})
	}
	for _, text := range []string{"", "a+b", "cs/0", "A,1-2", "x@2", "a\nb", "%41"} {
		if name, err := ParseText(text, 1); err == nil {
			t.Errorf("ParseText(%q) = %q, want an error", text, name)
		}
	}
}

func TestJoin(t *testing.T) {
	for _, c := range []struct {
		want   string
		values []string
	}{
		{"net/http", []string{"net/http"}},
		{"net%2Fhttp/go", []string{"net/http", "go"}},
		{"net/http%2Fgo", []string{"net", "http/go"}},
		{"/", []string{"", ""}},
		{"a%252F/b", []string{"a%2F", "b"}},
		{"C++/2005", []string{"C++", "2005"}},
	} {
		got := Join(c.values)
		if got != c.want {
			t.Errorf("Join(%q) = %q, want %q", c.values, got, c.want)
		}
		if back := Fields(got, len(c.values)); !slices.Equal(back, c.values) {
			t.Errorf("Fields(%q) = %q, want %q", got, back, c.values)
		}
	}
}

func TestShown(t *testing.T) {
	for _, c := range [][2]string{{"C%2B%2B", "C++"}, {"C%2B%2B,1990-2029", "C++,1990-2029"}, {"C%2B%2B+F#", "C%2B%2B+F#"}, {"F#", "F#"}, {"100%", "100%"}, {"%", "%"}, {"", ""}} {
		if got := Shown(c[0]); got != c[1] {
			t.Errorf("%q is shown as %q, want %q", c[0], got, c[1])
		}
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		want   string
		unit   Unit
		fields int
	}{
		{"Biology/3", Unit{Number: 3}, 1},
		{"Biology,2005-2007", Unit{Number: -1, First: "2005", Last: "2007", Again: 1}, 1},
		{"Biology,-5--3#2", Unit{Number: -1, First: "-5", Last: "-3", Again: 2}, 1},
		{"Biology,1e-5-1e%2B5", Unit{Number: -1, First: "1e-5", Last: "1e+5", Again: 1}, 1},
		{"Biology/2005/0", Unit{Number: 0}, 2},
	} {
		text := "Biology"
		if c.fields == 2 {
			text = "Biology/2005"
		}
		if got := text + c.unit.Suffix(); got != c.want {
			t.Errorf("the name of unit %+v is %q, want %q", c.unit, got, c.want)
		}
		if back, u, ok := ParseUnit(c.want, c.fields); !ok || back != text || u != c.unit {
			t.Errorf("ParseUnit(%q) = %q, %+v, %v", c.want, back, u, ok)
		}
	}
	for _, name := range []string{"Biology", "Biology/x", "Biology/03", "Biology/-1", "Biology,2005", "Biology,2005-2007#1", "Biology,a-b"} {
		if text, u, ok := ParseUnit(name, 1); ok {
			t.Errorf("ParseUnit(%q) = %q, %+v: it is none", name, text, u)
		}
	}
	if _, _, ok := ParseUnit("Biology/2005", 2); ok {
		t.Error("a partition by two fields is taken for a unit")
	}
}

// A thing of a mixture and its parts, made at random of the signs that join names.
type component struct {
	values []string
	unit   Unit
	whole  bool
}

func (c component) name(fields int) string {
	text := Text(Join(c.values), fields)
	if c.whole {
		return text
	}
	return text + c.unit.Suffix()
}

func randomText(r *rand.Rand) string {
	signs := []string{"+", "/", ",", "#", "@", ":", "%", "%2B", "%2F", "-", " ", "\n", "a", "B", "é", "0", "1", "2005", "1-2", ",1-2", "/0", "\xff", "\u2028", "e+5"}
	var b strings.Builder
	for range r.IntN(5) {
		b.WriteString(signs[r.IntN(len(signs))])
	}
	return b.String()
}

func randomComponent(r *rand.Rand, fields int) component {
	c := component{values: make([]string, fields), whole: r.IntN(3) == 0}
	for i := range c.values {
		c.values[i] = randomText(r)
	}
	if numbers := []string{"1", "-2", "1e5", "1e+5", "1e-5", "+3", "0x1p-2", "2005", ".5"}; r.IntN(2) == 0 {
		c.unit = Unit{Number: -1, First: numbers[r.IntN(len(numbers))], Last: numbers[r.IntN(len(numbers))], Again: 1 + r.IntN(2)}
	} else {
		c.unit = Unit{Number: r.IntN(12)}
	}
	if c.whole {
		c.unit = Unit{}
	}
	return c
}

// TestNamesTellThingsApart makes mixtures of names with every sign that joins, as replicates, and
// holds that two have one name only if they are one, and that the name gives the parts back.
func TestNamesTellThingsApart(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, fields := range []int{1, 2, 3} {
		seen := map[string]string{}
		for range 20000 {
			var names []string
			var all []component
			for range 1 + r.IntN(3) {
				c := randomComponent(r, fields)
				all, names = append(all, c), append(names, c.name(fields))
			}
			replicate := r.IntN(3)
			name, thing := Replicate(Mixture(names), replicate), fmt.Sprintf("%#v %d", all, replicate)
			if other, ok := seen[name]; ok && other != thing {
				t.Fatalf("%s and %s are both called %q", other, thing, name)
			}
			seen[name] = thing
			of, again := ParseReplicate(name)
			var back []component
			for _, part := range ParseMixture(of) {
				c := component{whole: true}
				text, unit, ok := ParseUnit(part, fields)
				if ok {
					c.whole, c.unit, part = false, unit, text
				}
				partition, err := ParseText(part, fields)
				if err != nil {
					t.Fatalf("%q: %v", name, err)
				}
				c.values = Fields(partition, fields)
				back = append(back, c)
			}
			if got := fmt.Sprintf("%#v %d", back, again); got != thing {
				t.Fatalf("%q is read as %s, want %s", name, got, thing)
			}
		}
	}
}

func FuzzText(f *testing.F) {
	for _, text := range []string{"", "a+b", "net/http", "A,1-2", "x@2", "12:30", "%41", " a\n", "a+1", "+41", "a+1+41"} {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, values := range [][]string{{a}, {a, b}} {
			name := Join(values)
			if back := Fields(name, len(values)); !slices.Equal(back, values) {
				t.Errorf("Fields(Join(%q)) = %q", values, back)
			}
			text := Text(name, len(values))
			if strings.ContainsAny(text, "+\n\x00") {
				t.Errorf("Text(%q) = %q", name, text)
			}
			if back, err := ParseText(text, len(values)); err != nil || back != name {
				t.Errorf("ParseText(Text(%q)) = %q, %v", name, back, err)
			}
			if _, u, ok := ParseUnit(text, len(values)); ok {
				t.Errorf("Text(%q) = %q reads as unit %+v", name, text, u)
			}
			if of, r := ParseReplicate(text); r > 0 {
				t.Errorf("Text(%q) = %q reads as replicate %d of %s", name, text, r, of)
			}
			for _, u := range []Unit{{Number: 3}, {Number: -1, First: "1e+5", Last: "-2", Again: 2}} {
				if back, got, ok := ParseUnit(text+u.Suffix(), len(values)); !ok || back != text || got != u {
					t.Errorf("ParseUnit(%q) = %q, %+v, %v", text+u.Suffix(), back, got, ok)
				}
			}
		}
		for _, more := range []int{1, 41} {
			if Files(a, more) == Files(b, 0) || a != b && Files(a, more) == Files(b, more) || Files(a, 1) == Files(b, 41) {
				t.Errorf("%q and %d more files have the name of others, %q", a, more, b)
			}
		}
		if a != b && (Files(a, 0) == Files(b, 0) || Text(a, 1) == Text(b, 1) || Line(a) == Line(b)) {
			t.Errorf("%q and %q have one text", a, b)
		}
	})
}
