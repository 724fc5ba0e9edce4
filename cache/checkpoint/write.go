package checkpoint

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"unicode/utf8"
)

const (
	metadataKey = "__metadata__"
	dtypeF32    = "F32"

	// The header of a model with 100,000 tensors has about 10 MB; the format's own library stops at
	// 100 MB.
	maxHeader = 64 << 20
	// Data begins at a multiple of a cache line, as Arrow and most BLAS kernels like it.
	alignment = 64
	// The format's library refuses more dimensions than it can index, we refuse what no model has.
	maxDims = 16

	writeChunk = 64 << 10

	// Files are written by pieces of this size at multiples of it. Linux keeps them in memory as it
	// got them, and maps a piece at a time: written by 64 KiB, a cached model was merged at two
	// thirds of the rate, the rest being page faults.
	writePiece = 2 << 20
)

// A Tensor is a named array of float32, row-major. Its length is the product of its shape; an empty
// shape is a scalar.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
}

// Write writes tensors in the given order, and meta, replacing what lies at path. Same arguments,
// same bytes. It does not sync the file: the cache does that for everything it takes in.
func Write(path string, tensors []Tensor, meta map[string]string) error {
	for _, t := range tensors {
		if size, err := elements(t.Shape); err == nil && size != int64(len(t.Data)) {
			return fmt.Errorf("write checkpoint %s: tensor %q: shape %v has %d elements, data has %d", path, t.Name, t.Shape, size, len(t.Data))
		}
	}
	return create(path, tensors, meta, func(w *dataWriter) error {
		for _, t := range tensors {
			if err := w.write(t.Data); err != nil {
				return fmt.Errorf("write checkpoint: tensor %s: %w", t.Name, err)
			}
		}
		return nil
	})
}

// create writes the header for tensors, whose data may be missing, and the data that fill writes.
func create(path string, tensors []Tensor, meta map[string]string, fill func(w *dataWriter) error) (err error) {
	head, err := header(tensors, meta)
	if err != nil {
		return fmt.Errorf("write checkpoint %s: %w", path, err)
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	defer func() {
		if e := f.Close(); e != nil && err == nil {
			err = fmt.Errorf("write checkpoint: %w", e)
		}
	}()
	w := &dataWriter{to: bufio.NewWriterSize(f, writePiece)}
	if _, err := w.to.Write(head); err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	if err := fill(w); err != nil {
		return err
	}
	if err := w.to.Flush(); err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	return nil
}

// dataWriter writes numbers as the file has them.
type dataWriter struct {
	to  *bufio.Writer
	buf [writeChunk]byte
}

func (w *dataWriter) write(data []float32) error {
	for len(data) > 0 {
		n := min(len(data), writeChunk/4)
		for i, v := range data[:n] {
			binary.LittleEndian.PutUint32(w.buf[4*i:], math.Float32bits(v))
		}
		if _, err := w.to.Write(w.buf[:4*n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// header is all that comes before the data of tensors; their shapes say how much that is.
func header(tensors []Tensor, meta map[string]string) ([]byte, error) {
	var b bytes.Buffer
	b.Write(make([]byte, 8)) // the length, known at the end
	b.WriteByte('{')
	if len(meta) > 0 {
		b.WriteString(`"` + metadataKey + `":{`)
		for i, k := range slices.Sorted(maps.Keys(meta)) {
			if i > 0 {
				b.WriteByte(',')
			}
			if !utf8.ValidString(k) || !utf8.ValidString(meta[k]) {
				return nil, fmt.Errorf("metadata %q: not valid UTF-8", k)
			}
			writeString(&b, k)
			b.WriteByte(':')
			writeString(&b, meta[k])
		}
		b.WriteByte('}')
	}
	seen := make(map[string]bool, len(tensors))
	offset := int64(0)
	for _, t := range tensors {
		size, err := checkTensor(t)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		if seen[t.Name] {
			return nil, fmt.Errorf("tensor %q: given twice", t.Name)
		}
		seen[t.Name] = true
		if b.Len() > 9 {
			b.WriteByte(',')
		}
		writeString(&b, t.Name)
		fmt.Fprintf(&b, `:{"dtype":"%s","shape":[`, dtypeF32)
		for i, d := range t.Shape {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprint(&b, d)
		}
		end := offset + 4*size
		fmt.Fprintf(&b, `],"data_offsets":[%d,%d]}`, offset, end)
		offset = end
	}
	b.WriteByte('}')
	for b.Len()%alignment != 0 {
		b.WriteByte(' ')
	}
	if n := b.Len() - 8; n > maxHeader {
		return nil, fmt.Errorf("header of %d bytes, at most %d", n, maxHeader)
	}
	binary.LittleEndian.PutUint64(b.Bytes(), uint64(b.Len()-8))
	return b.Bytes(), nil
}

// writeString writes a JSON string. Marshalling a valid string cannot fail.
func writeString(b *bytes.Buffer, s string) {
	q, _ := json.Marshal(s)
	b.Write(q)
}

// checkTensor returns how many elements the tensor has.
func checkTensor(t Tensor) (int64, error) {
	switch {
	case t.Name == "" || t.Name == metadataKey:
		return 0, errors.New("not a name for a tensor")
	case !utf8.ValidString(t.Name):
		return 0, errors.New("name is not valid UTF-8")
	}
	return elements(t.Shape)
}

// elements is the product of a shape.
func elements(shape []int) (int64, error) {
	if len(shape) > maxDims {
		return 0, fmt.Errorf("shape with %d dimensions, at most %d", len(shape), maxDims)
	}
	n := int64(1)
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has a negative dimension", shape)
		}
		// 2^60 elements are more bytes than an int64 counts.
		if d > 0 && n > (1<<60)/int64(d) {
			return 0, fmt.Errorf("shape %v has too many elements", shape)
		}
		n *= int64(d)
	}
	return n, nil
}
