package table

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// bind makes a columnStream's functions for the type of its column.
func (s *columnStream) bind() error {
	logical := s.column.LogicalType()
	switch r := s.reader.(type) {
	case *file.ByteArrayColumnChunkReader:
		bindTo(s, r.ReadBatch, func(v parquet.ByteArray) Cell { return bytesCell(v, logical, true) })
	case *file.FixedLenByteArrayColumnChunkReader:
		bindTo(s, r.ReadBatch, func(v parquet.FixedLenByteArray) Cell { return bytesCell(v, logical, false) })
	case *file.BooleanColumnChunkReader:
		bindTo(s, r.ReadBatch, func(v bool) Cell { return Cell{Present: true, Text: strconv.FormatBool(v)} })
	case *file.Int32ColumnChunkReader:
		bindTo(s, r.ReadBatch, func(v int32) Cell {
			if t, ok := logical.(schema.IntLogicalType); ok && !t.IsSigned() {
				return intCell(int64(uint32(v)), logical)
			}
			return intCell(int64(v), logical)
		})
	case *file.Int64ColumnChunkReader:
		bindTo(s, r.ReadBatch, func(v int64) Cell { return intCell(v, logical) })
	case *file.Int96ColumnChunkReader:
		bindTo(s, r.ReadBatch, func(v parquet.Int96) Cell { return Cell{Present: true, Text: v.ToTime().UTC().Format(timestampForm)} })
	case *file.Float32ColumnChunkReader:
		bindTo(s, r.ReadBatch, func(v float32) Cell { return Cell{Present: true, Text: strconv.FormatFloat(float64(v), 'f', -1, 32)} })
	case *file.Float64ColumnChunkReader:
		bindTo(s, r.ReadBatch, func(v float64) Cell { return Cell{Present: true, Text: strconv.FormatFloat(v, 'f', -1, 64)} })
	default:
		return fmt.Errorf("column %s is of type %v", s.column.Path(), s.column.PhysicalType())
	}
	return nil
}

func bindTo[V any](s *columnStream, read func(int64, []V, []int16, []int16) (int64, int, error), text func(V) Cell) {
	values := make([]V, foreignRows)
	var defs, reps []int16
	if s.column.MaxDefinitionLevel() > 0 {
		defs = s.defs
	}
	if s.column.MaxRepetitionLevel() > 0 {
		reps = s.reps
	}
	s.read = func(n int64) (int64, int, error) { return read(n, values, defs, reps) }
	s.text = func(i int) Cell { return text(values[i]) }
}

// timestampForm is how Arrow writes times.
const timestampForm = "2006-01-02 15:04:05.999999999Z0700"

func intCell(v int64, logical schema.LogicalType) Cell {
	text := strconv.FormatInt(v, 10)
	switch t := logical.(type) {
	case schema.IntLogicalType:
		if !t.IsSigned() {
			text = strconv.FormatUint(uint64(v), 10)
		}
	case schema.DateLogicalType:
		text = arrow.Date32(v).FormattedString()
	case schema.TimestampLogicalType:
		unit := arrow.Nanosecond
		switch t.TimeUnit() {
		case schema.TimeUnitMillis:
			unit = arrow.Millisecond
		case schema.TimeUnitMicros:
			unit = arrow.Microsecond
		}
		text = arrow.Timestamp(v).ToTime(unit).UTC().Format(timestampForm)
	case schema.DecimalLogicalType:
		text = decimal(big.NewInt(v), int(t.Scale()))
	}
	return Cell{Present: true, Text: text}
}

func bytesCell(v []byte, logical schema.LogicalType, text bool) Cell {
	if t, ok := logical.(schema.DecimalLogicalType); ok {
		x := new(big.Int).SetBytes(v)
		if len(v) > 0 && v[0] >= 0x80 {
			x.Sub(x, new(big.Int).Lsh(big.NewInt(1), uint(8*len(v))))
		}
		return Cell{Present: true, Text: decimal(x, int(t.Scale()))}
	}
	if text {
		return Cell{Present: true, String: true, Text: string(v)}
	}
	return Cell{Present: true, Text: base64.StdEncoding.EncodeToString(v)}
}

// decimal writes x / 10^scale.
func decimal(x *big.Int, scale int) string {
	if scale <= 0 || scale > 1000 {
		return x.String()
	}
	digits := new(big.Int).Abs(x).String()
	for len(digits) <= scale {
		digits = "0" + digits
	}
	sign := ""
	if x.Sign() < 0 {
		sign = "-"
	}
	return sign + digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
}
