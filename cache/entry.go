package cache

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// entryFormat is the value of Entry.Format; see FORMAT.md, sections 4 and 11.
const entryFormat = 1

// Bounds on what is read from an entry, so that a damaged or hostile file costs a message and
// little memory. Most steps have tens of key inputs and a handful of outputs, about 2 KiB; a
// correlation over 8,128 mixtures, ten eval sets and five proxies names 400,000 inputs of some 110
// bytes each.
const (
	maxEntryBytes = 64 << 20
	maxOutputs    = 1 << 16
	maxNameBytes  = 512
	maxKindBytes  = 128
)

// Output is one file that a step left behind.
type Output struct {
	Name   string `json:"name"`   // slash path inside the step's output directory
	Digest Digest `json:"digest"` // the blob
	Size   int64  `json:"size"`   // bytes
}

// Provenance says who made an entry. It is for people: never hashed, never compared, and nothing
// that decides a result may be read from it.
type Provenance struct {
	Host        string  `json:"host"`
	OS          string  `json:"os"`
	Arch        string  `json:"arch"`
	CPU         string  `json:"cpu"`
	GPU         string  `json:"gpu,omitempty"`
	Go          string  `json:"go"`
	Ablate      string  `json:"ablate"`
	Threads     int     `json:"threads"`
	Started     string  `json:"started"`      // StartedLayout, UTC
	WallSeconds float64 `json:"wall_seconds"` // s
	Step        string  `json:"step"`
	Study       string  `json:"study"`
	Run         string  `json:"run,omitempty"`     // RFC 3339, UTC: when the run began that the step was part of
	Resumed     int64   `json:"resumed,omitempty"` // optimizer step that a training went on from, left by an earlier attempt; 0: none

	// What the step took, for estimates of later runs. Entries of earlier versions have neither.
	Work        int64   `json:"work,omitempty"`         // that it did, in the unit of its kind; 0: not known
	CoreSeconds float64 `json:"core_seconds,omitempty"` // s; of the processors that it had a share of
}

// StartedLayout is RFC 3339 to the millisecond, of a fixed width, so that the splits of one study,
// which may follow each other within a second, sort as text in the order in which they began.
// Entries of earlier versions have whole seconds.
const StartedLayout = "2006-01-02T15:04:05.000Z07:00"

// Entry is what the cache knows about one finished step.
type Entry struct {
	Format     int        `json:"format"`
	Key        Key        `json:"key"`
	Kind       string     `json:"kind"`
	KeyInputs  []KeyInput `json:"ingredients"`
	Outputs    []Output   `json:"outputs"` // sorted by Name, bytewise
	Provenance Provenance `json:"provenance"`
}

// Output finds an output by name.
func (e *Entry) Output(name string) (Output, bool) {
	for _, o := range e.Outputs {
		if o.Name == name {
			return o, true
		}
	}
	return Output{}, false
}

// The end of an entry's file: the sum over all bytes before sumHead, so that any flipped byte shows
// before the JSON is looked at.
const (
	sumHead = `"sum":"`
	sumTail = "\"}\n"
	sumLen  = len(sumHead) + 2*sha256.Size + len(sumTail)
)

// Bytes is the entry as a file of a cache holds it.
func (e *Entry) Bytes() ([]byte, error) { return e.encode() }

// encode writes the bytes of the entry's file. It checks first, so that what is written can be
// read.
func (e *Entry) encode() ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	part := func(before string, v any, after string) error {
		b.WriteString(before)
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			return err
		}
		b.Truncate(b.Len() - 1) // the line feed of Encode
		b.WriteString(after)
		return nil
	}
	list := func(i, n int) string {
		if i < n-1 {
			return ",\n"
		}
		return "\n"
	}
	err := errors.Join(
		part(`{"format":`, e.Format, ",\n"),
		part(`"key":`, e.Key, ",\n"),
		part(`"kind":`, e.Kind, ",\n"))
	b.WriteString("\"ingredients\":[\n")
	for i, in := range e.KeyInputs {
		err = errors.Join(err, part("", in, list(i, len(e.KeyInputs))))
	}
	b.WriteString("],\n\"outputs\":[\n")
	for i, o := range e.Outputs {
		err = errors.Join(err, part("", o, list(i, len(e.Outputs))))
	}
	err = errors.Join(err, part("],\n\"provenance\":", e.Provenance, ",\n"))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b.Bytes())
	b.WriteString(sumHead + hex.EncodeToString(sum[:]) + sumTail)
	if b.Len() > maxEntryBytes {
		return nil, fmt.Errorf("has %d bytes, at most %d are allowed", b.Len(), maxEntryBytes)
	}
	return b.Bytes(), nil
}

// FormatError is an entry that a later version of the program wrote. It is left where it is:
// another program may need it.
type FormatError struct {
	Key    Key
	Format int
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("cache: entry %s has format %d, this program reads %d: use the ablate that wrote it, or another directory with --cache or ABLATE_CACHE",
		e.Key, e.Format, entryFormat)
}

// formatOf reads the first member of an entry, 0 where it is none.
func formatOf(data []byte) int {
	rest, ok := bytes.CutPrefix(data, []byte(`{"format":`))
	digits, _, ok2 := bytes.Cut(rest[:min(len(rest), 12)], []byte(","))
	n, err := strconv.Atoi(string(digits))
	if !ok || !ok2 || err != nil {
		return 0
	}
	return n
}

// decode reads the bytes of the entry file of key and checks all that can be checked without
// looking at a blob. Its errors complete "entry KEY: ".
func decode(data []byte, key Key) (*Entry, error) {
	if len(data) > maxEntryBytes {
		return nil, fmt.Errorf("has %d bytes, at most %d are allowed", len(data), maxEntryBytes)
	}
	body := len(data) - sumLen
	if body < 0 || string(data[body:body+len(sumHead)]) != sumHead || !bytes.HasSuffix(data, []byte(sumTail)) {
		return nil, errors.New("does not end in its sum: truncated or not an entry")
	}
	want := string(data[body+len(sumHead) : len(data)-len(sumTail)])
	if sum := sha256.Sum256(data[:body]); hex.EncodeToString(sum[:]) != want {
		return nil, fmt.Errorf("sum is %x, its file says %s", sum, clip(want))
	}
	if n := formatOf(data); n != entryFormat && n > 0 {
		return nil, &FormatError{Key: key, Format: n}
	}
	e, err := parseEntry(string(data[:body]))
	if err != nil {
		return nil, err
	}
	if e.Key != key {
		return nil, fmt.Errorf("says it is %s", e.Key)
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	return e, nil
}

// check is what must hold of every entry, written or read.
func (e *Entry) check() error {
	if e.Format != entryFormat {
		return fmt.Errorf("has format %d, this program reads %d", e.Format, entryFormat)
	}
	if e.Kind == "" || len(e.Kind) > maxKindBytes || !utf8.ValidString(e.Kind) {
		return fmt.Errorf("kind %s is not 1 to %d bytes of UTF-8", clip(e.Kind), maxKindBytes)
	}
	for _, in := range e.KeyInputs {
		// JSON would replace what is not UTF-8, and the key would not come out again.
		if !utf8.ValidString(in.Label) || !utf8.ValidString(in.Value) {
			return fmt.Errorf("key input %s is not UTF-8", clip(in.Label))
		}
	}
	if k := KeyOf(e.KeyInputs); k != e.Key {
		return fmt.Errorf("key inputs give key %s, want %s", k, e.Key)
	}
	return checkOutputs(e.Outputs)
}

func checkOutputs(outputs []Output) error {
	if len(outputs) > maxOutputs {
		return fmt.Errorf("has %d outputs, at most %d are allowed", len(outputs), maxOutputs)
	}
	for i, o := range outputs {
		if err := checkName(o.Name); err != nil {
			return err
		}
		if o.Size < 0 {
			return fmt.Errorf("output %s has %d bytes", clip(o.Name), o.Size)
		}
		if i > 0 && outputs[i-1].Name >= o.Name {
			return fmt.Errorf("outputs %s and %s are not sorted by name", clip(outputs[i-1].Name), clip(o.Name))
		}
	}
	if len(outputs) < 2 {
		return nil
	}
	files := make(map[string]bool, len(outputs))
	for _, o := range outputs {
		files[o.Name] = true
	}
	for _, o := range outputs {
		for i, c := range o.Name {
			if c == '/' && files[o.Name[:i]] {
				return fmt.Errorf("output %s is also the directory of %s", clip(o.Name[:i]), clip(o.Name))
			}
		}
	}
	return nil
}

// checkName keeps names to paths that stay below the directory they are joined to, on any system,
// and that print on one line.
func checkName(name string) error {
	switch {
	case name == "." || !fs.ValidPath(name):
		return fmt.Errorf("output name %s is not a plain relative path", clip(name))
	case len(name) > maxNameBytes:
		return fmt.Errorf("output name %s has %d bytes, at most %d are allowed", clip(name), len(name), maxNameBytes)
	case strings.ContainsRune(name, '\\') || strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("output name %s has a backslash or a control character", clip(name))
	}
	return nil
}
