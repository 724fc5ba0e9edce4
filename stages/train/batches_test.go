package train

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/cache/table"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// written are the batches of a training as the export leaves them.
func written(t *testing.T, p kind.TrainParams, in stagetest.Roles) []tables.BatchRow {
	t.Helper()
	job := stagetest.NewJob(t, p, in)
	path := filepath.Join(t.TempDir(), "batches.parquet")
	n, err := Batches{Params: job.Params, Units: job.Numbered("unit")}.Write(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := table.ReadRows[tables.BatchRow](path)
	if err != nil || int64(len(rows)) != n {
		t.Fatalf("%d rows of %d, %v", len(rows), n, err)
	}
	return rows
}

// describedStream is the generator of BATCHES.md, section "Random numbers", written from that page
// with numbers of any size.
type describedStream struct{ state *big.Int }

func power(n uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), n) }

func parsed(hex string) *big.Int {
	n, ok := new(big.Int).SetString(hex, 16)
	if !ok {
		panic(hex)
	}
	return n
}

func newDescribedStream(seed int64, purpose string, numbers ...int) *describedStream {
	var words []string
	for _, n := range numbers {
		words = append(words, fmt.Sprint(n))
	}
	h := sha256.Sum256([]byte(`ablate stream "` + purpose + `" seed ` + fmt.Sprint(seed) + " numbers [" + strings.Join(words, " ") + "]"))
	half := func(b []byte) *big.Int {
		b = slices.Clone(b)
		slices.Reverse(b) // big.Int is big-endian
		return new(big.Int).SetBytes(b)
	}
	state := new(big.Int).Mul(half(h[:8]), power(64))
	return &describedStream{state.Add(state, half(h[8:16]))}
}

func (s *describedStream) below(n int) int {
	s.state.Mul(s.state, parsed("2360ed051fc65da44385df649fccf645"))
	s.state.Add(s.state, parsed("5851f42d4c957f2d14057b7ef767814f"))
	s.state.Mod(s.state, power(128))
	hi, lo := new(big.Int).DivMod(s.state, power(64), new(big.Int))
	hi.Xor(hi, new(big.Int).Rsh(hi, 32))
	hi.Mul(hi, parsed("da942042e4dd58b5")).Mod(hi, power(64))
	hi.Xor(hi, new(big.Int).Rsh(hi, 48))
	hi.Mul(hi, lo.Or(lo, big.NewInt(1))).Mod(hi, power(64))
	return int(hi.Mul(hi, big.NewInt(int64(n))).Rsh(hi, 64).Int64())
}

func (s *describedStream) shuffle(list []int) []int {
	for i := len(list) - 1; i >= 1; i-- {
		j := s.below(i + 1)
		list[i], list[j] = list[j], list[i]
	}
	return list
}

// described are the batches as BATCHES.md describes them, without the documents.
func described(p kind.TrainParams, streams [][]int32) []tables.BatchRow {
	T := p.Model.Context
	per := int(p.Batch) / T
	steps := (int(p.Tokens) + int(p.Batch) - 1) / int(p.Batch)
	total := steps * per
	var chunks, weights, counts []int
	for _, s := range streams {
		chunks = append(chunks, (len(s)-1)/T)
	}
	sum, left := 0, total
	for _, c := range chunks {
		w := map[string]int{"equal": 1, "replacement": 1, "proportional": c, "repeat": c * (slices.Max(chunks) / c)}[p.Sampling]
		weights, sum = append(weights, w), sum+w
	}
	for _, w := range weights {
		counts = append(counts, total*w/sum)
		left -= total * w / sum
	}
	given := map[int]bool{}
	for range left {
		best := -1
		for u, w := range weights {
			if !given[u] && (best < 0 || total*w%sum > total*weights[best]%sum) {
				best = u
			}
		}
		given[best] = true
		counts[best]++
	}
	var slots []int
	for u, n := range counts {
		slots = append(slots, slices.Repeat([]int{u}, n)...)
	}
	newDescribedStream(p.Seed, "units of sequences").shuffle(slots)
	var rows []tables.BatchRow
	taken := make([]int, len(chunks))
	for k, u := range slots {
		j := taken[u]
		taken[u]++
		var c int
		if p.Sampling == "replacement" {
			c = newDescribedStream(p.Seed, "sequence with replacement", u, j).below(chunks[u])
		} else {
			var epoch []int
			for i := range chunks[u] {
				epoch = append(epoch, i)
			}
			c = newDescribedStream(p.Seed, "sequences of a unit", u, j/chunks[u]).shuffle(epoch)[j%chunks[u]]
		}
		rows = append(rows, tables.BatchRow{
			Step: int64(k/per) + 1, Sequence: int64(k % per), Unit: int64(u), Chunk: int64(c), Tokens: streams[u][c*T : c*T+T+1],
		})
	}
	return rows
}

// The batches that the export writes are those that BATCHES.md describes, computed by code that
// shares nothing with the sampler.
func TestBatchesAreAsDescribed(t *testing.T) {
	in := stagetest.Units(t)
	var streams [][]int32
	var units []*table.Tokens
	for i := range 3 {
		u, err := table.OpenTokens(in[kind.Role("unit", i)])
		if err != nil {
			t.Fatal(err)
		}
		defer u.Close()
		stream := make([]int32, u.Len())
		u.Read(stream, 0)
		streams, units = append(streams, stream), append(units, u)
	}
	for _, sampling := range []string{kind.SamplingEqual, kind.SamplingProportional, kind.SamplingRepeat, kind.SamplingReplacement} {
		for _, seed := range []int64{1, -7} {
			p := stagetest.TrainParams()
			p.Sampling, p.Seed, p.Tokens = sampling, seed, 1500 // no whole number of batches, several epochs
			rows := written(t, p, in)
			for i, r := range rows {
				if err := sameDocuments(r, units[r.Unit], int64(p.Model.Context)); err != nil {
					t.Errorf("%s, seed %d, row %d: %v", sampling, seed, i, err)
				}
				rows[i].Artifact, rows[i].IDs, rows[i].Starts, rows[i].Lengths = "", nil, nil, nil
			}
			if diff := cmp.Diff(described(p, streams), rows, cmp.AllowUnexported(tables.BatchRow{})); diff != "" {
				t.Errorf("%s, seed %d (-described +written):\n%s", sampling, seed, diff)
			}
		}
	}
}

// sameDocuments puts the row's tokens together from its documents.
func sameDocuments(r tables.BatchRow, unit *table.Tokens, context int64) error {
	var got []int32
	for k, id := range r.IDs {
		i := 0
		for unit.Doc(i).ID != id {
			i++
		}
		all := unit.DocTokens(i, nil)
		for _, x := range all[r.Starts[k] : r.Starts[k]+r.Lengths[k]] {
			got = append(got, int32(x))
		}
	}
	if !slices.Equal(got, r.Tokens) || int64(len(got)) != context+1 {
		return fmt.Errorf("documents %q give %v, want %v", r.IDs, got, r.Tokens)
	}
	return nil
}

// recorder is an engine that keeps what it is trained on.
type recorder struct {
	lm.Engine
	inputs, targets []int32
}

func (r *recorder) Accumulate(inputs, targets []int32, B, T int, scale float64) (float64, error) {
	r.inputs, r.targets = append(r.inputs, inputs...), append(r.targets, targets...)
	return r.Engine.Accumulate(inputs, targets, B, T, scale)
}

// A training reads the tokens of the batches that the export writes, in their order.
func TestTrainingReadsTheBatches(t *testing.T) {
	p, in := stagetest.TrainParams(), stagetest.Units(t)
	var inputs, targets []int32
	for _, r := range written(t, p, in) {
		inputs, targets = append(inputs, r.Tokens[:p.Model.Context]...), append(targets, r.Tokens[1:]...)
	}
	tr, err := begun(stagetest.NewJob(t, p, in), p)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.close()
	r := &recorder{Engine: tr.engine}
	tr.engine = r
	if err := tr.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if int64(len(r.inputs)) != p.Tokens || !slices.Equal(r.inputs, inputs) || !slices.Equal(r.targets, targets) {
		t.Errorf("training read %d tokens other than the %d of the batches", len(r.inputs), len(inputs))
	}
}

func TestBatchesSayWhatTheyFollowFrom(t *testing.T) {
	p := stagetest.TrainParams()
	job := stagetest.NewJob(t, p, stagetest.Units(t))
	path := filepath.Join(t.TempDir(), "batches.parquet")
	b := Batches{Params: job.Params, Units: job.Numbered("unit")}
	if _, err := b.Write(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	meta, err := table.Meta(path)
	if want := `{"context":16,"batch":64,"tokens":768,"seed":1,"sampling":"equal","chunks":[7,3,12]}`; err != nil || meta[metaOrder] != want {
		t.Errorf("metadata %s, %v, want %s", meta[metaOrder], err, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Write(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	b.Params = json.RawMessage(`{"model": {"context": 16}, "batch": 8, "tokens": 100}`)
	if _, err := b.Write(t.Context(), path); err == nil || !strings.Contains(err.Error(), "batch of 8 tokens is not a multiple of the context of 16") {
		t.Errorf("a batch shorter than a sequence: %v", err)
	}
}
