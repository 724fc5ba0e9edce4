package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"ablate/stages/text"
)

// TestArrays runs the session in testdata/arrays.txtar, which makes arrays of ids.
func TestArrays(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Files: []string{"testdata/arrays.txtar"}, UpdateScripts: *update, Setup: setup, Condition: condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "edit": edit, "array": array},
	})
}

// array FILE NAME: makes NAME.npy and NAME.csv.gz of the documents of a JSON Lines file by the
// tokenizer of the scripts.
func array(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: array FILE NAME")
	}
	content, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	s, err := text.OpenTokenStream(ts.Getenv("TOKENIZER"))
	ts.Check(err)
	s.SpecialAsText = true
	var encoded, ids, index bytes.Buffer
	ts.Check(s.Encode(bytes.NewReader(content), &encoded))
	z := gzip.NewWriter(&index)
	docs, lists := json.NewDecoder(bytes.NewReader(content)), json.NewDecoder(&encoded)
	for at := 0; docs.More(); {
		var d struct {
			ID       string
			Metadata struct {
				Part string
				Year int
			}
		}
		var list []uint16
		ts.Check(errors.Join(docs.Decode(&d), lists.Decode(&list)))
		const eos = 319 // of the tokenizer
		ts.Check(binary.Write(&ids, binary.LittleEndian, append(list, eos)))
		fmt.Fprintf(z, "%d,%d,%s,data/%s-%d.jsonl,1\r\n", at, at+len(list)+1, d.ID, d.Metadata.Part, d.Metadata.Year)
		at += len(list) + 1
	}
	ts.Check(z.Close())
	ts.Check(errors.Join(os.WriteFile(ts.MkAbs(args[1]+".npy"), ids.Bytes(), 0o666), os.WriteFile(ts.MkAbs(args[1]+".csv.gz"), index.Bytes(), 0o666)))
}
