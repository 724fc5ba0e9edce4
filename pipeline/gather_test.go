package pipeline

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"ablate/cache"
	"ablate/specs"
	"ablate/specs/ident"

	"ablate/stages/kind"
)

// someFiles are n files of 0 to 4 KB, the content of each following from its number.
func someFiles(n int) []File {
	rng := rand.New(rand.NewPCG(1, 2))
	files := make([]File, n)
	for i := range files {
		files[i] = File{Name: fmt.Sprintf("%06d.jsonl", i), Size: rng.Int64N(4096), Digest: cache.DigestOf([]byte(fmt.Sprint(i)))}
	}
	return files
}

// contents tells a batch from others by the digests of its files.
func contents(batch []File) string {
	var b strings.Builder
	for _, f := range batch {
		b.WriteString(f.Digest.String())
	}
	return b.String()
}

// changed counts the batches of after that are not among those of before.
func changed(before, after [][]File) (n int) {
	old := map[string]bool{}
	for _, b := range before {
		old[contents(b)] = true
	}
	for _, b := range after {
		if !old[contents(b)] {
			n++
		}
	}
	return n
}

// All files are in batches, in their order, none of which weighs more than it may, and batches
// weigh what they are meant to in the mean.
func TestGather(t *testing.T) {
	large, empty := File{Name: "large", Size: largeFile, Digest: cache.DigestOf([]byte("large"))}, File{Digest: cache.DigestOf(nil)}
	half := File{Name: "half", Size: largeFile - 1, Digest: cache.DigestOf([]byte("half"))}
	for _, test := range []struct {
		name  string
		files []File
		least int // batches
		most  int
	}{
		{"none", nil, 0, 0},
		{"one", someFiles(1), 1, 1},
		{"small ones", someFiles(20000), 20, 45}, // 20,000 times 6 KB are 29 of 4 MB
		{"large ones", []File{large, large, large}, 3, 3},
		{"a large one between small ones", slices.Concat(someFiles(2), []File{large}, someFiles(2)), 3, 5},
		{"empty ones, all of one content", slices.Repeat([]File{empty}, 20000), 3, 3},
		{"ones of one content, almost large", slices.Repeat([]File{half}, 100), 4, 100},
	} {
		t.Run(test.name, func(t *testing.T) {
			batches := gather(test.files)
			if n := len(batches); n < test.least || n > test.most {
				t.Errorf("%d batches, want %d to %d", n, test.least, test.most)
			}
			if all := slices.Concat(batches...); !slices.Equal(all, test.files) {
				t.Errorf("the batches have %d files in another order or number than the %d given", len(all), len(test.files))
			}
			for i, b := range batches {
				if w := weightOfAll(b); len(b) == 0 || w > mostWeight || len(b) > mostWeight/fileWeight {
					t.Errorf("batch %d has %d files and weighs %d, at most %d", i, len(b), w, mostWeight)
				}
				if len(b) > 1 && slices.ContainsFunc(b, func(f File) bool { return f.Size >= largeFile }) {
					t.Errorf("batch %d has %d files and a large one among them", i, len(b))
				}
			}
			if again := gather(test.files); changed(batches, again) != 0 {
				t.Error("the batches are others the second time")
			}
		})
	}
}

// A file that comes, goes, changes or grows large changes at most its own batch and its neighbour,
// wherever it stands; files that are renamed and keep their order change none.
func TestGatherStays(t *testing.T) {
	files := someFiles(5000)
	before := gather(files)
	other := File{Name: "other", Size: 1000, Digest: cache.DigestOf([]byte("other"))}
	large := File{Name: "large", Size: 5 << 20, Digest: cache.DigestOf([]byte("large"))}
	ends := slices.IndexFunc(files, func(f File) bool { return endsBatch(f, weightOf(f)) })
	for _, at := range []int{0, 1, ends, ends + 1, 777, 2500, 4998, 4999} {
		for _, test := range []struct {
			name  string
			after []File
			most  int
		}{
			{"added", slices.Insert(slices.Clone(files), at, other), 1},
			{"removed", slices.Delete(slices.Clone(files), at, at+1), 1},
			{"changed", slices.Replace(slices.Clone(files), at, at+1, other), 2},
			{"added and large", slices.Insert(slices.Clone(files), at, large), 3}, // itself, what was before it and what was behind it
		} {
			if n := changed(before, gather(test.after)); n > test.most {
				t.Errorf("file %d %s: %d of %d batches are others, at most %d may be", at, test.name, n, len(before), test.most)
			}
		}
	}
	renamed := slices.Clone(files)
	for i := range renamed {
		renamed[i].Name = "v2/" + renamed[i].Name
	}
	if n := changed(before, gather(renamed)); n != 0 {
		t.Errorf("%d batches are others after all files were renamed", n)
	}
}

// Corpora of few files have a step for each, those of many share steps whose IDs name the files,
// and each file is read by one step.
func TestCorpusSteps(t *testing.T) {
	text := func(replace ...string) *specs.Study {
		return parsed(t, append([]string{"{files: [a.jsonl, b.jsonl], metadata: {part: metadata.part, year: metadata.year}}",
			`{files: "**/*.txt", format: text, metadata: {part: "^(.)", year: "(.)"}}`}, replace...)...)
	}
	odd := someFiles(40)
	for i, name := range []string{"a", "a+39", "a+2+3"} {
		odd[i].Name, odd[i].Format = name, "jsonl"
	}
	for _, test := range []struct {
		name  string
		study *specs.Study
		files []File
		want  []string // of the IDs, the first ones
		least int
		most  int
	}{
		{"few", parsed(t), someFiles(fewFiles), []string{"tokenize/parts/000000.jsonl", "tokenize/parts/000001.jsonl"}, 32, 32},
		{"many", parsed(t), someFiles(fewFiles + 1), []string{"tokenize/parts/000000.jsonl+32"}, 1, 1},
		{"names that look like batches", parsed(t), odd, []string{"tokenize/parts/a+39"}, 1, 1},
		{"few with such names", parsed(t), odd[:3], []string{"tokenize/parts/a", "tokenize/parts/a%2B39", "tokenize/parts/a+2%2B3"}, 3, 3},
		{"text", text(), someFiles(5000), []string{"tokenize/parts/0", "tokenize/parts/1"}, 8, 8},
		{"much text", text(), someFiles(100000), []string{"tokenize/parts/0/000011.jsonl+182"}, 100, 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			src := sources()
			src.Corpora["parts"] = test.files
			p, err := Compile(test.study, src, nil)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			read := map[string]int{}
			for _, s := range p.Steps {
				if s.About.Role != kind.RoleCorpus || s.About.Corpus != "parts" {
					continue
				}
				ids = append(ids, s.ID)
				names := s.FileNames()
				for _, name := range names {
					read[name]++
				}
				if first := ident.Files(names[0], len(names)-1); !strings.HasSuffix(s.ID, "/"+first) && !strings.HasPrefix(test.name, "text") {
					t.Errorf("step %s reads %d files, the first %s", s.ID, len(names), names[0])
				}
			}
			if n := len(ids); n < test.least || n > test.most {
				t.Errorf("%d steps, want %d to %d: %s", n, test.least, test.most, listSome(ids, 5))
			} else if !slices.Equal(ids[:len(test.want)], test.want) {
				t.Errorf("steps %s, want %s", listSome(ids, len(test.want)), strings.Join(test.want, ", "))
			}
			for _, f := range test.files {
				if read[f.Name] != 1 {
					t.Errorf("file %s is read by %d steps", f.Name, read[f.Name])
				}
			}
		})
	}
}

// A shard of a tree of text files that is too heavy for one step is cut into several, and the order
// of documents stays that of the shards.
func TestTextOrder(t *testing.T) {
	files := someFiles(100000)
	var want []File
	for _, shard := range shardByName(files) {
		want = append(want, shard...)
	}
	src := sources()
	src.Corpora["parts"] = files
	p, err := Compile(parsed(t, "{files: [a.jsonl, b.jsonl], metadata: {part: metadata.part, year: metadata.year}}",
		`{files: "**/*.txt", format: text, metadata: {part: "^(.)", year: "(.)"}}`), src, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	split := p.Splits[slices.IndexFunc(p.Splits, func(s SplitRef) bool { return !s.Seed })]
	for _, in := range p.Steps[split.Step].Inputs {
		if strings.HasPrefix(in.Role, "documents.") {
			got = append(got, p.Steps[in.Step].FileNames()...)
		}
	}
	for i, f := range want {
		if i >= len(got) || got[i] != f.Name {
			t.Fatalf("document %d of %d is another file's than %s", i, len(got), f.Name)
		}
	}
}

// BenchmarkCompileFiles plans a corpus of 20,000 small files.
func BenchmarkCompileFiles(b *testing.B) {
	src := sources()
	src.Corpora["parts"] = someFiles(20000)
	s, err := specs.Parse("study.yaml", []byte(study), ".")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Compile(s, src, nil); err != nil {
			b.Fatal(err)
		}
	}
}
