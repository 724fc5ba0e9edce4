package text

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/stages/internal/corpus"
	"ablate/stages/internal/stagetest"
	"ablate/stages/tables"
)

// Documents come out as one thread encodes them and in the order in which they went in, however
// many threads there are and while their number changes; no more of them are under way than are
// bounded.
func TestEncoding(t *testing.T) {
	tok := stagetest.LoadTokenizer(t, texts.Tokenizer(t))
	var docs []corpus.Document
	for i := range 300 {
		docs = append(docs, corpus.Document{ID: fmt.Sprint(i), Text: stagetest.Prose(i, 1+i*i%90), Place: corpus.Place{Line: int64(i)}})
	}
	var first []encoded
	for _, threads := range []int{1, 2, 3, 8} {
		var got []encoded
		turn, added, most := 0, 0, 0
		now := func() int {
			turn++
			return 1 + turn/7%threads
		}
		e := newEncoding(tok, threads, now, stagetest.TokenizeLines, nil, func(d *encoded) error {
			got = append(got, *d)
			return nil
		})
		e.most = 200
		for _, d := range docs {
			if err := e.add(d); err != nil {
				t.Fatal(err)
			}
			added++
			most = max(most, added-len(got))
		}
		if err := e.finish(); err != nil {
			t.Fatal(err)
		}
		e.stop()
		if first == nil {
			first = got
		}
		if diff := cmp.Diff(first, got, cmp.AllowUnexported(encoded{}, tables.DocumentRow{})); diff != "" || len(got) != len(docs) || got[299].row.ID != "299" {
			t.Errorf("%d threads, %d documents (-one thread +these):\n%.500s", threads, len(got), diff)
		}
		if bound := 200 * (4*threads + 2); most > bound {
			t.Errorf("%d threads: %d documents under way, want at most %d", threads, most, bound)
		}
	}
}

// An error of whoever is given the documents ends it, and no goroutine stays.
func TestEncodingEnds(t *testing.T) {
	enough := errors.New("enough")
	e := newEncoding(stagetest.LoadTokenizer(t, texts.Tokenizer(t)), 4, func() int { return 4 }, stagetest.TokenizeLines, nil, func(*encoded) error { return enough })
	e.most = 1
	var err error
	for i := 0; i < 1000 && err == nil; i++ {
		err = e.add(corpus.Document{ID: "d", Text: stagetest.Prose(i, 20)})
	}
	e.stop()
	if !errors.Is(err, enough) {
		t.Errorf("error %v, want %v", err, enough)
	}
	for i := range e.busy {
		if e.busy[i].Load() {
			t.Errorf("goroutine %d is busy", i)
		}
	}
}
