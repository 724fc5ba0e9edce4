package checkpoint

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"unsafe"

	"ablate/cache/table/mapping"
)

// A File is an open checkpoint, safe for any number of goroutines until Close.
type File struct {
	file    *mapping.File
	meta    map[string]string
	names   []string
	entries map[string]entry
	data    []byte // what follows the header
}

// entry is where the header says a tensor lies in the data.
type entry struct {
	shape    []int
	from, to int64
}

// Open maps a checkpoint and validates its header: tensors are F32, agree with their extents, and
// cover the data exactly once. Their numbers are not read.
func Open(path string) (*File, error) {
	if !mapping.LittleEndian() {
		return nil, fmt.Errorf("open checkpoint %s: this machine is big-endian: %w", path, errors.ErrUnsupported)
	}
	m, err := mapping.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open checkpoint: %w", err)
	}
	f, err := parse(m.Bytes())
	if err != nil {
		m.Close()
		return nil, fmt.Errorf("open checkpoint %s: %w", path, err)
	}
	f.file = m
	return f, nil
}

// parse validates a whole file.
func parse(content []byte) (*File, error) {
	if len(content) < 8 {
		return nil, fmt.Errorf("%d bytes, a safetensors file has at least 10", len(content))
	}
	n := binary.LittleEndian.Uint64(content)
	if n > maxHeader {
		return nil, fmt.Errorf("header of %d bytes, at most %d: not a safetensors file, or damaged", n, maxHeader)
	}
	if room := uint64(len(content) - 8); n > room {
		return nil, fmt.Errorf("header of %d bytes, %d left in the file: cut short", n, room)
	}
	if (8+n)%4 != 0 {
		return nil, fmt.Errorf("data begins at byte %d, want a multiple of 4", 8+n)
	}
	f := &File{entries: map[string]entry{}, data: content[8+n:]}
	if err := f.parseHeader(content[8 : 8+n]); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	return f, f.checkExtents()
}

// parseHeader reads token by token where encoding/json would be too forgiving: it keeps the order
// of the tensors and refuses a name that occurs twice.
func (f *File) parseHeader(head []byte) error {
	if len(head) == 0 || head[0] != '{' {
		return errors.New("want a JSON object at its first byte")
	}
	d := json.NewDecoder(bytes.NewReader(head))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		name, ok := key.(string)
		switch _, seen := f.entries[name]; {
		case !ok:
			return fmt.Errorf("want a name, have %v", key)
		case seen || name == metadataKey && f.meta != nil:
			return fmt.Errorf("%q occurs twice", name)
		case name == metadataKey:
			f.meta = map[string]string{}
			if err := d.Decode(&f.meta); err != nil {
				return fmt.Errorf("%s: %w", metadataKey, err)
			}
		default:
			e, err := decodeEntry(d)
			if err != nil {
				return fmt.Errorf("tensor %.80q: %w", name, err)
			}
			f.names = append(f.names, name)
			f.entries[name] = e
		}
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the JSON object")
	}
	return nil
}

func decodeEntry(d *json.Decoder) (entry, error) {
	var e struct {
		DType   *string  `json:"dtype"`
		Shape   *[]int   `json:"shape"`
		Offsets *[]int64 `json:"data_offsets"`
	}
	if err := d.Decode(&e); err != nil {
		return entry{}, err
	}
	switch {
	case e.DType == nil || e.Shape == nil || e.Offsets == nil:
		return entry{}, errors.New("want dtype, shape and data_offsets")
	case *e.DType != dtypeF32:
		return entry{}, fmt.Errorf("dtype %.20q, want %q: convert the checkpoint first", *e.DType, dtypeF32)
	case len(*e.Offsets) != 2:
		return entry{}, fmt.Errorf("%d data_offsets, want 2", len(*e.Offsets))
	}
	n, err := elements(*e.Shape)
	if err != nil {
		return entry{}, err
	}
	from, to := (*e.Offsets)[0], (*e.Offsets)[1]
	// from >= 0 keeps the difference from overflowing.
	if from < 0 || to < from || to-from != 4*n {
		return entry{}, fmt.Errorf("shape %v is %d bytes, data_offsets %v are not", *e.Shape, 4*n, *e.Offsets)
	}
	return entry{shape: *e.Shape, from: from, to: to}, nil
}

// checkExtents makes sure that the tensors cover the data without gap or overlap.
func (f *File) checkExtents() error {
	order := slices.Clone(f.names)
	slices.SortStableFunc(order, func(a, b string) int {
		x, y := f.entries[a], f.entries[b]
		return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.to, y.to))
	})
	end := int64(0)
	for _, name := range order {
		switch e := f.entries[name]; {
		case e.from > end:
			return fmt.Errorf("tensor %.80q: begins at byte %d of the data, nothing covers %d to there", name, e.from, end)
		case e.from < end:
			return fmt.Errorf("tensor %.80q: begins at byte %d of the data, inside the one that ends at %d", name, e.from, end)
		default:
			end = e.to
		}
	}
	if end != int64(len(f.data)) {
		return fmt.Errorf("tensors have %d bytes, the file has %d for them", end, len(f.data))
	}
	return nil
}

// Meta returns a copy of the metadata.
func (f *File) Meta() map[string]string {
	if f.meta == nil {
		return map[string]string{}
	}
	return maps.Clone(f.meta)
}

// Names returns the names of the tensors in the order of the header.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Tensor returns a tensor whose Data is a view of the mapping: reading it after Close, or writing
// to it, kills the process.
func (f *File) Tensor(name string) (Tensor, error) {
	e, ok := f.entries[name]
	if !ok {
		return Tensor{}, fmt.Errorf("checkpoint has no tensor %q", name)
	}
	return Tensor{Name: name, Shape: slices.Clone(e.shape), Data: f.floats(e)}, nil
}

// floats is the data of an entry. It begins at a multiple of 4 in a mapping (parse) and lies inside
// (checkExtents).
func (f *File) floats(e entry) []float32 {
	if e.from == e.to {
		return nil
	}
	b := f.data[e.from:e.to]
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4)
}

// Close removes the mapping. Tensors of the file may be read no more.
func (f *File) Close() error {
	f.data, f.entries, f.names = nil, nil, nil
	return f.file.Close()
}
