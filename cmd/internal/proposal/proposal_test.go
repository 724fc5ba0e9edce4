package proposal

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ablate/specs"
	"ablate/specs/arch"
)

// odd are values that YAML or a pattern would take for something else.
var odd = []string{"no", "1.0", "a: b", "~", "#hash", "[x]"}

type object = map[string]any

// documents are n documents whose text is of words that their part likes. change may change each.
func documents(n, words int, change func(i int, d object)) []object {
	random := rand.New(rand.NewPCG(1, 2))
	var list []object
	for i := range n {
		part := i % len(odd)
		var text strings.Builder
		for range words {
			word := random.IntN(400)
			if random.IntN(3) > 0 {
				word = 400 + 100*part + random.IntN(100)
			}
			fmt.Fprintf(&text, "w%d ", word*7919%9973)
		}
		d := object{"id": fmt.Sprint("d", i), "text": text.String(), "meta": object{"domain": odd[part], "year": 1990 + i%30}}
		if change != nil {
			change(i, d)
		}
		list = append(list, d)
	}
	return list
}

func lines(t *testing.T, list []object, end string) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, d := range list {
		line, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(line)
		b.WriteString(end)
	}
	return b.Bytes()
}

// write writes a file below a folder that becomes the working directory.
func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// propose proposes for a machine of a known speed.
func propose(t *testing.T, change func(*Request)) (*Proposal, error) {
	t.Helper()
	req := Request{
		Study: "study", Dir: ".", From: []string{"data.jsonl"}, Minutes: 10, Schema: "ablate.schema.json", Lookup: os.LookupEnv,
		Speed: func(m arch.Model) (float64, error) { return 3e10 / m.FLOPsPerToken(), nil },
	}
	if change != nil {
		change(&req)
	}
	return New(t.Context(), req)
}

// parsed is the study of a proposal.
func parsed(t *testing.T, p *Proposal) *specs.Study {
	t.Helper()
	s, err := specs.Parse("study.yaml", p.YAML(), ".")
	if err != nil {
		t.Fatalf("%v\n%s", err, p.YAML())
	}
	return s
}

// TestProposal: of files with odd names and values, a byte order mark, other line ends, a broken
// line, missing fields and fields of several types, the study names what is there.
func TestProposal(t *testing.T) {
	t.Chdir(t.TempDir())
	list := documents(1500, 80, func(i int, d object) {
		switch {
		case i%11 == 0:
			d["mixed"] = object{"a": 1}
		case i%3 == 0:
			d["mixed"] = "s"
		}
		if i%13 == 0 {
			delete(d["meta"].(object), "domain")
		}
		d["a.b"] = "odd"
	})
	data := append([]byte("\xef\xbb\xbf"), lines(t, list[:700], "\r\n")...)
	data = append(data, "{\"id\": \"cut o\r\n"...)
	data = append(data, lines(t, list[700:], "\r\n")...)
	write(t, "a b [1].jsonl", data)
	p, err := propose(t, func(r *Request) { r.From = []string{"a b [1].jsonl"} })
	if err != nil {
		t.Fatal(err)
	}
	s := parsed(t, p)
	c := s.Corpora[mainCorpus]
	if c.Files[0] != `a b \[1].jsonl` || c.Metadata["domain"] != "meta.domain" || c.Metadata["year"] != "meta.year" || c.Bad.Line != "drop" || c.ID != "id" {
		t.Errorf("the corpus is %+v", c)
	}
	x := s.Partitions[partSet]
	if x.By[0] != "domain" || x.Order != "year" || len(x.Units) != len(odd) {
		t.Errorf("partitions are %+v", x)
	}
	for _, name := range odd {
		if n := x.Units[name]; n < 2 {
			t.Errorf("partition %q has %d units: %v", name, n, x.Units)
		}
	}
	text := string(p.YAML())
	for _, want := range []string{
		"1 file (", "read whole; about 1,500 documents", "1 of 1,501 documents is no JSON object (the first: \"a b [1].jsonl\":701)", "missing in about 116",
		"a.b: cannot be named", "mixed: is an object",
	} {
		if !strings.Contains(strings.ReplaceAll(text, "\n  # ", " "), want) && !strings.Contains(strings.Join(strings.Fields(strings.ReplaceAll(text, "#", "")), " "), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if !strings.HasPrefix(text, SchemaLine("ablate.schema.json")+"\n") || strings.Contains(text, t.TempDir()) {
		t.Errorf("the head is not as it should be:\n%s", text)
	}
}

// TestFound: what the documents have settles what the study says.
func TestFound(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(i int, d object)
		want   func(s *specs.Study) bool
	}{
		{"an identity that repeats is none", func(i int, d object) { d["id"] = i % 7 }, func(s *specs.Study) bool { return s.Corpora[mainCorpus].ID == "no_id" }},
		{"another identity", func(i int, d object) { d["id"] = i % 7; d["url"] = fmt.Sprint("http://", i) }, func(s *specs.Study) bool { return s.Corpora[mainCorpus].ID == "url" }},
		{"NA is a value", func(i int, d object) {
			if i%6 == 0 {
				d["meta"].(object)["domain"] = "NA"
			} else if i%6 == 1 && i%5 == 0 {
				delete(d["meta"].(object), "domain")
			}
		}, func(s *specs.Study) bool { return s.Corpora[mainCorpus].Absent == "absent" }},
		{"the text has another name", func(i int, d object) { d["body"] = d["text"]; delete(d, "text") }, func(s *specs.Study) bool { return s.Corpora[mainCorpus].Text == "body" }},
		{"a document lacks its text", func(i int, d object) {
			if i == 5 {
				delete(d, "text")
			}
		}, func(s *specs.Study) bool { return s.Corpora[mainCorpus].Bad.Text == "drop" }},
		{"no order", func(i int, d object) { delete(d["meta"].(object), "year") }, func(s *specs.Study) bool { return s.Partitions[partSet].Order == "id" }},
		{"two partitions", func(i int, d object) { d["meta"].(object)["domain"] = odd[i%2] }, func(s *specs.Study) bool {
			return s.Mixtures["pairs"].Of == "units" && len(s.Partitions[partSet].Units) == 2
		}},
		{"one tiny value among others", func(i int, d object) {
			if i > 3 && i%6 == 0 {
				d["meta"].(object)["domain"] = odd[1]
			}
		}, func(s *specs.Study) bool { _, tiny := s.Partitions[partSet].Units[odd[0]]; return !tiny }},
		{"an ISO date orders", func(i int, d object) {
			m := d["meta"].(object)
			delete(m, "year")
			m["created"] = fmt.Sprintf("%d-03-%02dT00:00:00Z", 1990+i%20, 1+i%28)
		}, func(s *specs.Study) bool { return s.Partitions[partSet].Order == "created" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write(t, "data.jsonl", lines(t, documents(900, 80, c.change), "\n"))
			p, err := propose(t, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !c.want(parsed(t, p)) {
				t.Errorf("the study is\n%s", p.YAML())
			}
		})
	}
}

// TestNotFound: what is not there is an error that says what there is and what to do.
func TestNotFound(t *testing.T) {
	for _, c := range []struct {
		name   string
		list   []object
		change func(*Request)
		want   []string
	}{
		{"no text", documents(300, 80, func(_ int, d object) { delete(d, "text") }), nil, []string{"init found no field that holds the text", "meta.domain (300 strings", "--text"}},
		{"several texts", documents(300, 80, func(_ int, d object) { d["question"], d["answer"] = d["text"], d["text"]; delete(d, "text") }), nil, []string{"answer", "question", "--text"}},
		{"one value", documents(300, 80, func(_ int, d object) { d["meta"] = object{"domain": "x"} }), nil, []string{"meta.domain is x everywhere", "--by"}},
		{"no field", documents(300, 80, func(_ int, d object) { delete(d, "meta") }), nil, []string{"no field divides the documents", "--by"}},
		{"no field, but files", documents(300, 80, func(_ int, d object) { delete(d, "meta") }), func(r *Request) { r.From = append(r.From, "more.jsonl") }, []string{"no field divides the documents", "input_filename"}},
		{"little text", documents(12, 80, nil), nil, []string{"too little text", "30 kB"}},
		{"few words", documents(900, 80, func(i int, d object) {
			d["text"] = strings.Repeat([]string{"one two ", "two one "}[i%2], 80) + fmt.Sprint(i%10)
		}), nil, []string{"too few different words", "add text with other words"}},
		{"many broken lines", append(documents(300, 80, nil), documents(40, 1, func(_ int, d object) { delete(d, "text") })...), nil, []string{"40 of 340 documents have no text at text", "data.jsonl:301"}},
		{"another field", documents(300, 80, nil), func(r *Request) { r.By = "nope" }, []string{"--by nope", "meta.domain (6 values in 100% of the documents)"}},
		{"another text", documents(300, 80, nil), func(r *Request) { r.Text = "meta.year" }, []string{"--text meta.year", "no document"}},
		{"another identity", documents(300, 80, nil), func(r *Request) { r.ID = "nope" }, []string{"--id nope", "no document"}},
		{"another order", documents(300, 80, nil), func(r *Request) { r.Order = "nope" }, []string{"--order nope"}},
		{"no file", nil, func(r *Request) { r.From = []string{"no/*.jsonl"} }, []string{"--from no/*.jsonl", "matches no file"}},
		{"no time", documents(900, 80, nil), func(r *Request) { r.Minutes = 0.001 }, []string{"--minutes 0.001", "allow more"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write(t, "data.jsonl", lines(t, c.list, "\n"))
			write(t, "more.jsonl", lines(t, c.list, "\n"))
			p, err := propose(t, c.change)
			if err == nil {
				t.Fatalf("no error, but\n%s", p.YAML())
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nlacks %q", err, want)
				}
			}
		})
	}
}

// TestFiles: files are found as a person names them, and a study in another folder finds them, too.
func TestFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	data := lines(t, documents(900, 80, nil), "\n")
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, "data/x/a.jsonl.gz", zipped.Bytes())
	write(t, "array.json", []byte("[{\"text\": \"x\"}]"))
	write(t, "table.csv", []byte("text,domain\nx,y\n"))
	write(t, "mixed/a.jsonl", data)
	write(t, "mixed/README.md", []byte("# Notes\n"))
	write(t, "studies/none", nil)
	for from, want := range map[string]string{"data": "../data/**/*.jsonl.gz", "data/x/a.jsonl.gz": "../data/x/a.jsonl.gz", "./data/*/*.gz": "../data/*/*.gz"} {
		p, err := propose(t, func(r *Request) { r.From, r.Dir = []string{from}, "studies" })
		if err != nil {
			t.Errorf("%s: %v", from, err)
			continue
		}
		if c := parsed(t, p).Corpora[mainCorpus]; c.Files[0] != want {
			t.Errorf("%s: the study has %q, want %q", from, c.Files[0], want)
		}
	}
	for from, want := range map[string]string{"array.json": "JSON array", "table.csv": "CSV", "mixed": "'mixed/**/*.jsonl'"} {
		if _, err := propose(t, func(r *Request) { r.From = []string{from} }); err == nil || !strings.Contains(err.Error(), want) && from != "mixed" {
			t.Errorf("%s: %v", from, err)
		}
	}
}

// TestText: text files are divided by their folders, and long ones are cut.
func TestText(t *testing.T) {
	t.Chdir(t.TempDir())
	for i, d := range documents(60, 500, nil) {
		write(t, fmt.Sprintf("txt/part %d/%d-x.txt", i%3, 1990+i), []byte(d["text"].(string)))
	}
	p, err := propose(t, func(r *Request) { r.From = []string{"txt"} })
	if err != nil {
		t.Fatal(err)
	}
	s := parsed(t, p)
	if x := s.Partitions[partSet]; x.By[0] != "folder" || x.Order != "year" || x.Units["part 1"] == 0 || s.Corpora[mainCorpus].PieceBytes == 0 {
		t.Errorf("the study is\n%s", p.YAML())
	}
	if _, err := propose(t, func(r *Request) { r.From = []string{"txt/part 0"} }); err == nil || !strings.Contains(err.Error(), "folder of its own") {
		t.Errorf("of one folder: %v", err)
	}
}

// TestSpeed: a slow machine gets a smaller study than a fast one, and none takes longer than is
// allowed.
func TestSpeed(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "data.jsonl", lines(t, documents(3000, 120, nil), "\n"))
	var parameters []int64
	for _, flops := range []float64{1e9, 1e10, 1e12} {
		p, err := propose(t, func(r *Request) {
			r.Speed = func(m arch.Model) (float64, error) { return flops / m.FLOPsPerToken(), nil }
		})
		if err != nil {
			t.Fatal(err)
		}
		if p.model.minutes > 10 {
			t.Errorf("at %g FLOPs a second the study takes %g minutes", flops, p.model.minutes)
		}
		parameters = append(parameters, p.model.parameters)
	}
	if parameters[0] >= parameters[2] || parameters[1] > parameters[2] {
		t.Errorf("models of %v parameters for faster and faster machines", parameters)
	}
}
