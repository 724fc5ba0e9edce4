package parquet

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"
)

func le(size int, v int64) string {
	b := binary.LittleEndian.AppendUint64(nil, uint64(v))
	return string(b[:size])
}

// Values of each type in words. Types that pyarrow and others write are in the golden files; here
// are the ends of their ranges, and what older writers said with converted types.
func TestValuesInWords(t *testing.T) {
	logical := func(physical int64, l logicalType) element {
		return element{physical: physical, converted: -1, logical: l}
	}
	converted := func(physical, c int64) element { return element{physical: physical, converted: c} }
	fixed := func(length int64, l logicalType) element {
		return element{physical: physicalFixed, length: length, converted: -1, logical: l}
	}
	for _, c := range []struct {
		name string
		of   element
		raw  string
		want string
	}{
		{"truth", converted(physicalBoolean, -1), "\x01", "true"},
		{"least integer", converted(physicalInt64, -1), le(8, math.MinInt64), "-9223372036854775808"},
		{"unsigned, converted", converted(physicalInt64, 14), le(8, -1), "18446744073709551615"},
		{"unsigned of 32 bits, converted", converted(physicalInt32, 13), le(4, -1), "4294967295"},
		{"signed, converted", converted(physicalInt32, 15), le(4, -1), "-1"},
		{"date, converted", converted(physicalInt32, 6), le(4, 11017), "2000-03-01"},
		{"date before 1970", logical(physicalInt32, logicalType{id: logicalDate}), le(4, -1), "1969-12-31"},
		{"milliseconds, converted", converted(physicalInt64, 9), le(8, 951912000250), "2000-03-01T12:00:00.25Z"},
		{"microseconds, converted", converted(physicalInt64, 10), le(8, -1), "1969-12-31T23:59:59.999999Z"},
		{"nanoseconds of no zone", logical(physicalInt64, logicalType{id: logicalTimestamp, unit: 3}), le(8, 1), "1970-01-01T00:00:00.000000001"},
		{"time of day, converted", converted(physicalInt32, 7), le(4, 86399999), "23:59:59.999"},
		{"decimal, converted", element{physical: physicalInt32, converted: 5, scale: 2, precision: 9}, le(4, -350), "-3.50"},
		{"decimal less than one", logical(physicalInt64, logicalType{id: logicalDecimal, scale: 4}), le(8, 7), "0.0007"},
		{"decimal of bytes", logical(physicalBytes, logicalType{id: logicalDecimal, scale: 1}), "\xff\x7f", "-12.9"},
		{"decimal of no bytes", logical(physicalBytes, logicalType{id: logicalDecimal, scale: 1}), "", "0.0"},
		{"decimal without a point", fixed(3, logicalType{id: logicalDecimal}), "\x01\x00\x00", "65536"},
		{"text, converted", converted(physicalBytes, 0), "é", "é"},
		{"JSON", logical(physicalBytes, logicalType{id: logicalJSON}), "{}", "{}"},
		{"bytes of a length", fixed(2, logicalType{}), "\x00\xff", "AP8="},
		{"UUID", fixed(16, logicalType{id: logicalUUID}), "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", "00112233-4455-6677-8899-aabbccddeeff"},
		{"half", fixed(2, logicalType{id: logicalFloat16}), "\x00\xc1", "-2.5"},
		{"least half", fixed(2, logicalType{id: logicalFloat16}), "\x01\x00", "0.000000059604645"},
		{"greatest half", fixed(2, logicalType{id: logicalFloat16}), "\xff\x7b", "65504"},
		{"half that is no number", fixed(2, logicalType{id: logicalFloat16}), "\x01\x7e", "NaN"},
		{"half without end", fixed(2, logicalType{id: logicalFloat16}), "\x00\xfc", "-Inf"},
		{"single", converted(physicalFloat, -1), le(4, int64(math.Float32bits(0.1))), "0.1"},
		{"double", converted(physicalDouble, -1), le(8, int64(math.Float64bits(1e21))), "1000000000000000000000"},
		{"double less than none", converted(physicalDouble, -1), le(8, math.MinInt64), "0"},
		{"INT96", converted(physicalInt96, -1), le(8, 43200e9+1) + le(4, 2451605), "2000-03-01T12:00:00.000000001"},
	} {
		t.Run(c.name, func(t *testing.T) {
			typ := typeOf(c.of)
			cell, err := typ.cell([]byte(c.raw))
			if err != nil || !cell.Present || cell.Text != c.want || cell.String != (c.of.physical == physicalBytes && typ.kind != kindDecimal) {
				t.Errorf("%+v, error %v, want %q", cell, err, c.want)
			}
		})
	}
	wide := typeOf(logical(physicalBytes, logicalType{id: logicalDecimal}))
	if _, err := wide.cell(make([]byte, 1<<20)); err == nil {
		t.Error("a decimal of a million bytes is written")
	}
}

func TestRefusedTypes(t *testing.T) {
	for _, c := range []struct {
		of   element
		want string
	}{
		{element{physical: physicalFixed, length: 12, converted: 21}, "INTERVAL"},
		{element{physical: physicalBytes, converted: 20}, "BSON"},
		{element{physical: physicalBytes, converted: -1, logical: logicalType{id: logicalGeometry}}, "GEOMETRY"},
		{element{physical: physicalBytes, converted: -1, logical: logicalType{id: 40}}, "number 40 of Parquet's logical types"},
		{element{physical: 9, converted: -1}, "number 9 of Parquet's types"},
		{element{physical: physicalInt32, converted: 0}, "STRING stored as INT32"},
		{element{physical: physicalBytes, converted: 6}, "DATE stored as BYTE_ARRAY"},
		{element{physical: physicalDouble, converted: -1, logical: logicalType{id: logicalTimestamp, unit: 1}}, "TIMESTAMP stored as DOUBLE"},
		{element{physical: physicalInt64, converted: -1, logical: logicalType{id: logicalTimestamp, unit: 4}}, "TIMESTAMP stored as INT64"},
		{element{physical: physicalFixed, length: 4, converted: -1, logical: logicalType{id: logicalFloat16}}, "FLOAT16 stored as FIXED_LEN_BYTE_ARRAY"},
		{element{physical: physicalFixed, converted: -1}, "FIXED_LEN_BYTE_ARRAY of 0 bytes"},
	} {
		c.of.name = "x"
		f := schema(t, element{name: "schema", children: 1}, c.of)
		f.root.below[0].typ = typeOf(c.of)
		err := f.Check(Column{Path: []string{"x"}})
		if want := "column x is of type " + c.want + ", which is not read: write it as a string or a number"; err == nil || err.Error() != want {
			t.Errorf("error %v, want %q", err, want)
		}
		if err := f.Check(Column{Path: []string{"x"}, Text: true}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("as text: error %v, want %q", err, c.want)
		}
	}
}
