package exec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ablate/cache"
	"ablate/stages/kind"
)

// whole is a task with a value in every field.
func whole(t testing.TB) *Task {
	t.Helper()
	task := &Task{
		Kind: "train", Version: 4, Params: json.RawMessage(`{"name":"a<b>&\u003c","rate":1e-3,"list":[1,2]}`),
		Inputs: []Input{
			{Role: "unit.0", Digest: cache.DigestOf([]byte("unit")), Size: 4, Name: "split/areas units/go/0.arrow", Files: []string{"a.jsonl", "b.jsonl"}},
			{Role: "file.0", Digest: cache.DigestOf([]byte("file")), Size: 4, Path: "/data/a b.jsonl", Name: "a b.jsonl"},
		},
		Needs:    kind.Needs{Cores: 1, Memory: 3, LeastMemory: 2, Devices: 4, DeviceMemory: 5, Time: 6 * time.Second, Leaves: 7, Aside: 8},
		Priority: 9, Attempt: 2, Step: "unit/areas/go/0", Study: "small", Run: "2024-01-02T03:04:05Z",
	}
	sign(t, task)
	return task
}

func sign(t testing.TB, task *Task) {
	t.Helper()
	ing, err := task.KeyInputs()
	if err != nil {
		t.Fatal(err)
	}
	task.Key = cache.KeyOf(ing)
}

func TestTaskRoundTrip(t *testing.T) {
	least := &Task{Kind: "merge", Version: 1, Params: json.RawMessage(`{}`), Inputs: []Input{}, Attempt: 1}
	sign(t, least)
	long := &Task{Kind: "correlate", Version: 1, Params: fmt.Appendf(nil, `{"scores":[%s0]}`, strings.Repeat("1,", kind.MostList)), Inputs: []Input{}, Attempt: 1}
	sign(t, long)
	for name, task := range map[string]*Task{"whole": whole(t), "least": least, "long list": long} {
		text, err := task.Encode()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := DecodeTask(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(task, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if !bytes.HasPrefix(text, []byte(`{"format":1,`)) || bytes.Count(text, []byte("\n")) != 1 {
			t.Errorf("%s: not a line that begins with its format: %.80s", name, text)
		}
	}
}

// The form of a task is a promise to processes of other versions of the program: who changes it
// raises the format.
func TestTaskForm(t *testing.T) {
	text, err := whole(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"format":1,"key":"KEY","kind":"train","version":4,"params":{"name":"a<b>&\u003c","rate":1e-3,"list":[1,2]},"inputs":[` +
		`{"role":"unit.0","digest":"UNIT","size":4,"name":"split/areas units/go/0.arrow","files":["a.jsonl","b.jsonl"]},` +
		`{"role":"file.0","digest":"FILE","size":4,"path":"/data/a b.jsonl","name":"a b.jsonl"}],` +
		`"needs":{"cores":1,"memory":3,"least_memory":2,"devices":4,"device_memory":5,"time_ns":6000000000,"leaves":7,"aside":8},` +
		`"priority":9,"attempt":2,"step":"unit/areas/go/0","study":"small","run":"2024-01-02T03:04:05Z"}` + "\n"
	got := strings.NewReplacer(whole(t).Key.String(), "KEY", cache.DigestOf([]byte("unit")).String(), "UNIT", cache.DigestOf([]byte("file")).String(), "FILE").Replace(string(text))
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestDecodeTaskIsStrict(t *testing.T) {
	good, err := whole(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	replaced := func(old, new string) []byte {
		if !bytes.Contains(good, []byte(old)) {
			t.Fatalf("internal: no %s in %s", old, good)
		}
		return bytes.Replace(good, []byte(old), []byte(new), 1)
	}
	for _, c := range []struct {
		name string
		text []byte
		want string
	}{
		{"nothing", nil, "task: not one JSON object"},
		{"cut short", good[:len(good)/2], "task: not one JSON object: unexpected end of JSON input"},
		{"two tasks", append(bytes.Clone(good), good...), "task: not one JSON object: invalid character '{' after top-level value"},
		{"no object", []byte(`[]`), "task: not one JSON object"},
		{"no format", replaced(`"format":1,`, ``), "it has no format"},
		{"a later format", replaced(`"format":1,`, `"format":2,"surprise":1,`), "has format 2, this program reads 1: carry the task out with the ablate that wrote it"},
		{"a field more", replaced(`"kind"`, `"colour":"red","kind"`), `unknown field "colour"`},
		{"a field of an input more", replaced(`"role"`, `"colour":"red","role"`), `unknown field "colour"`},
		{"a need more", replaced(`"needs":{`, `"needs":{"luck":1,`), `unknown field "luck"`},
		{"a type", replaced(`"attempt":2`, `"attempt":"2"`), "attempt"},
		{"half an attempt", replaced(`"attempt":2`, `"attempt":2.5`), "attempt"},
		{"a capital", replaced(`"kind"`, `"Kind"`), `ablate writes "kind`},
		{"twice", replaced(`"attempt":2`, `"attempt":1,"attempt":2`), `ablate writes "2,`},
		{"a space", replaced(`"attempt":2`, `"attempt": 2`), `there, ablate writes "2,`},
		{"no end of line", good[:len(good)-1], `"" there, ablate writes "\n"`},
		{"no needs", replaced(`"needs":{"cores":1,"memory":3,"least_memory":2,"devices":4,"device_memory":5,"time_ns":6000000000,"leaves":7,"aside":8},`, ``), `ablate writes "needs`},
		{"short key", replaced(`"key":"`, `"key":"0`), "key"},
		{"another key", replaced(whole(t).Key.String(), cache.Key{1}.String()), "its kind, parameters and inputs give key " + whole(t).Key.String() + ", it says 0100"},
		{"another parameter", replaced(`[1,2]`, `[1,3]`), "give key"},
		{"another version", replaced(`"version":4`, `"version":5`), "give key"},
		{"another kind", replaced(`"kind":"train"`, `"kind":"eval"`), "give key"},
		{"another input", replaced(cache.DigestOf([]byte("unit")).String(), cache.DigestOf([]byte("forged")).String()), "give key"},
		{"another role", replaced(`"unit.0"`, `"unit.1"`), "give key"},
		{"parameters with space", replaced(`"rate":1e-3`, `"rate": 1e-3`), "without insignificant space"},
		{"parameters that are no object", replaced(`{"name":"a<b>&\u003c","rate":1e-3,"list":[1,2]}`, `[1]`), "are not an object"},
		{"no parameters", replaced(`"params":{"name":"a<b>&\u003c","rate":1e-3,"list":[1,2]},`, ``), "parameters: "},
	} {
		_, err := DecodeTask(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
		}
	}
}

// What cannot be is refused by whoever writes a task, too, in words that name the step.
func TestTaskCheck(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(task *Task)
		want string
	}{
		{"right", func(*Task) {}, ""},
		{"no kind", func(task *Task) { task.Kind = "" }, "it has no kind"},
		{"no version", func(task *Task) { task.Version = 0 }, "version 0 of kind train"},
		{"no attempt", func(task *Task) { task.Attempt = 0 }, "attempt 0, want 1 or more"},
		{"needs", func(task *Task) { task.Needs.Cores = -1 }, "needs -1 of cores"},
		{"no role", func(task *Task) { task.Inputs[1].Role = "" }, "input 1 has no role"},
		{"a role twice", func(task *Task) { task.Inputs[1].Role = "unit.0" }, "two inputs with role unit.0"},
		{"no digest", func(task *Task) { task.Inputs[0].Digest = cache.Digest{} }, "input unit.0 has no digest"},
		{"size", func(task *Task) { task.Inputs[0].Size = -1 }, "input unit.0 has -1 bytes"},
		{"a path of one directory", func(task *Task) { task.Inputs[1].Path = "a.jsonl" }, `input file.0: path "a.jsonl" of a raw file is not absolute`},
		{"no JSON", func(task *Task) { task.Params = json.RawMessage(`{`) }, "parameters: unexpected end of JSON input"},
		{"key", func(task *Task) { task.Key = cache.Key{1} }, "give key"},
	} {
		task := whole(t)
		c.edit(task)
		_, err := task.Encode()
		if (err == nil) != (c.want == "") || err != nil && !strings.HasPrefix(err.Error(), `task of step "unit/areas/go/0": `) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// FuzzDecodeTask: whatever is read, is written again as it was.
func FuzzDecodeTask(f *testing.F) {
	good, err := whole(f).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, data []byte) {
		task, err := DecodeTask(data)
		if err != nil {
			return
		}
		if again, err := task.Encode(); err != nil || !bytes.Equal(again, data) {
			t.Errorf("%s\nis written as\n%s (%v)", data, again, err)
		}
	})
}
