package parquet

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"
)

// Physical types (Type of parquet.thrift).
const (
	physicalBoolean = iota
	physicalInt32
	physicalInt64
	physicalInt96
	physicalFloat
	physicalDouble
	physicalBytes
	physicalFixed
)

var physicalNames = []string{"BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"}

// A kind is how a value is written in words.
type kind int

const (
	kindRefused kind = iota // not at all
	kindText
	kindBytes
	kindBoolean
	kindSigned
	kindUnsigned
	kindHalf
	kindSingle
	kindDouble
	kindDecimal
	kindDate
	kindTime
	kindTimestamp
	kindInt96
	kindUUID
	kindNull
)

// valueType is how the values of a leaf column are stored, and what they mean.
type valueType struct {
	kind  kind
	size  int    // bytes of a value; 0: a bit, or a length before each
	scale int    // of decimals: digits after the point
	unit  int64  // of times: how many there are in a second
	utc   bool   // of timestamps: an instant; else the clock's and calendar's of some place
	whole bool   // stored as an integer
	name  string // in Parquet's words
}

var units = map[int64]int64{1: 1e3, 2: 1e6, 3: 1e9}

// typeOf is the type that an element of the schema describes. Where its logical type does not fit
// how it is stored, or is not known, the type is refused.
func typeOf(e element) valueType {
	if e.physical < 0 || e.physical >= int64(len(physicalNames)) {
		return valueType{name: fmt.Sprintf("number %d of Parquet's types", e.physical)}
	}
	t := valueType{name: physicalNames[e.physical], size: []int{0, 4, 8, 12, 4, 8, 0, 0}[e.physical]}
	if e.physical == physicalFixed {
		if t.size = int(e.length); e.length < 1 || e.length > 1<<20 {
			t.name += fmt.Sprintf(" of %d bytes", e.length)
			return t
		}
	}
	l := e.logical
	if l.id == 0 {
		l = fromConverted(e)
	}
	integer := e.physical == physicalInt32 || e.physical == physicalInt64
	text := e.physical == physicalBytes
	t.whole = integer
	switch l.id {
	case 0:
		t.kind = []kind{kindBoolean, kindSigned, kindSigned, kindInt96, kindSingle, kindDouble, kindText, kindBytes}[e.physical]
		return t
	case logicalString, logicalEnum, logicalJSON:
		return t.as(kindText, text, []string{logicalString: "STRING", logicalEnum: "ENUM", logicalJSON: "JSON"}[l.id])
	case logicalDecimal:
		t.scale = int(l.scale)
		fits := (integer || text || e.physical == physicalFixed) && l.scale >= 0 && l.scale <= 1000 && t.size <= mostDecimal
		return t.as(kindDecimal, fits, fmt.Sprintf("DECIMAL(%d, %d)", l.precision, l.scale))
	case logicalDate:
		return t.as(kindDate, e.physical == physicalInt32, "DATE")
	case logicalTime, logicalTimestamp:
		t.unit, t.utc = units[l.unit], l.utc
		if l.id == logicalTime {
			return t.as(kindTime, integer && t.unit > 0, "TIME")
		}
		return t.as(kindTimestamp, e.physical == physicalInt64 && t.unit > 0, "TIMESTAMP")
	case logicalInteger:
		k := kindUnsigned
		if l.signed {
			k = kindSigned
		}
		return t.as(k, integer, "INTEGER")
	case logicalUnknown:
		return t.as(kindNull, true, "UNKNOWN")
	case logicalUUID:
		return t.as(kindUUID, e.physical == physicalFixed && t.size == 16, "UUID")
	case logicalFloat16:
		return t.as(kindHalf, e.physical == physicalFixed && t.size == 2, "FLOAT16")
	}
	name := map[int64]string{logicalBSON: "BSON", logicalVariant: "VARIANT", logicalGeometry: "GEOMETRY", logicalGeography: "GEOGRAPHY", logicalInterval: "INTERVAL"}[l.id]
	if name == "" {
		name = fmt.Sprintf("number %d of Parquet's logical types", l.id)
	}
	return t.as(kindRefused, true, name)
}

func (t valueType) as(k kind, fits bool, name string) valueType {
	t.kind = k
	if !fits {
		t.kind, name = kindRefused, name+" stored as "+t.name
	}
	t.name = name
	return t
}

// logicalInterval stands for the converted type INTERVAL, which has no logical type.
const logicalInterval = -1

// fromConverted is the logical type that a converted type of older files means (LogicalTypes.md of
// Parquet).
func fromConverted(e element) logicalType {
	switch e.converted {
	case 0:
		return logicalType{id: logicalString}
	case 4:
		return logicalType{id: logicalEnum}
	case 5:
		return logicalType{id: logicalDecimal, scale: e.scale, precision: e.precision}
	case 6:
		return logicalType{id: logicalDate}
	case 7, 8:
		return logicalType{id: logicalTime, utc: true, unit: e.converted - 6}
	case 9, 10:
		return logicalType{id: logicalTimestamp, utc: true, unit: e.converted - 8}
	case 11, 12, 13, 14:
		return logicalType{id: logicalInteger}
	case 15, 16, 17, 18:
		return logicalType{id: logicalInteger, signed: true}
	case 19:
		return logicalType{id: logicalJSON}
	case 20:
		return logicalType{id: logicalBSON}
	case 21:
		return logicalType{id: logicalInterval}
	}
	return logicalType{}
}

// word is the type in the words that errors use.
func (t valueType) word() string {
	switch t.kind {
	case kindText:
		return "string"
	case kindBytes:
		return "bytes"
	case kindBoolean:
		return "boolean"
	case kindSigned, kindUnsigned, kindHalf, kindSingle, kindDouble, kindDecimal:
		return "number"
	case kindDate:
		return "date"
	case kindTime:
		return "time"
	case kindTimestamp, kindInt96:
		return "timestamp"
	case kindUUID:
		return "uuid"
	case kindNull:
		return "null"
	}
	return t.name
}

// Forms of dates and times, those of RFC 3339. A time that is no instant has no zone. Zeros at the
// end of a fraction are left out.
const (
	dateForm = "2006-01-02"
	timeForm = "15:04:05.999999999"
	bothForm = dateForm + "T" + timeForm
)

// cell writes a value, of which raw holds the PLAIN encoding, in words.
func (t *valueType) cell(raw []byte) (Cell, error) {
	c := Cell{Present: true}
	switch t.kind {
	case kindText:
		c.String, c.Text = true, string(raw)
	case kindBytes:
		c.Text = base64.StdEncoding.EncodeToString(raw)
	case kindBoolean:
		c.Text = strconv.FormatBool(raw[0] != 0)
	case kindSigned:
		c.Text = strconv.FormatInt(signed(raw), 10)
	case kindUnsigned:
		if len(raw) == 4 {
			c.Text = strconv.FormatUint(uint64(binary.LittleEndian.Uint32(raw)), 10)
		} else {
			c.Text = strconv.FormatUint(binary.LittleEndian.Uint64(raw), 10)
		}
	case kindHalf:
		c.Text = float(half(binary.LittleEndian.Uint16(raw)), 32)
	case kindSingle:
		c.Text = float(float64(math.Float32frombits(binary.LittleEndian.Uint32(raw))), 32)
	case kindDouble:
		c.Text = float(math.Float64frombits(binary.LittleEndian.Uint64(raw)), 64)
	case kindDecimal:
		if len(raw) > mostDecimal {
			return c, fmt.Errorf("a decimal of %d bytes", len(raw))
		}
		c.Text = decimal(t.unscaled(raw), t.scale)
	case kindDate:
		c.Text = time.Unix(signed(raw)*86400, 0).UTC().Format(dateForm)
	case kindTime:
		c.Text = t.instant(signed(raw)).Format(timeForm)
	case kindTimestamp:
		c.Text = t.instant(signed(raw)).Format(bothForm)
		if t.utc {
			c.Text += "Z"
		}
	case kindInt96: // nanoseconds of the day, and the Julian day; 1970-01-01 has number 2440588
		day := int64(binary.LittleEndian.Uint32(raw[8:])) - 2440588
		c.Text = time.Unix(day*86400, 0).UTC().Add(time.Duration(binary.LittleEndian.Uint64(raw))).Format(bothForm)
	case kindUUID:
		c.Text = fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:])
	default:
		c.Present = false
	}
	return c, nil
}

// mostDecimal is the most bytes of a decimal: 616 digits.
const mostDecimal = 256

func signed(raw []byte) int64 {
	if len(raw) == 4 {
		return int64(int32(binary.LittleEndian.Uint32(raw)))
	}
	return int64(binary.LittleEndian.Uint64(raw))
}

// instant is the time v units after the beginning of 1970.
func (t *valueType) instant(v int64) time.Time {
	whole, rest := v/t.unit, v%t.unit
	return time.Unix(whole, rest*(1e9/t.unit)).UTC()
}

// half is the value of an IEEE 754 binary16.
func half(h uint16) float64 {
	sign, exponent, fraction := 1.0, int(h>>10&0x1f), float64(h&0x3ff)
	if h>>15 == 1 {
		sign = -1
	}
	switch exponent {
	case 0:
		return sign * math.Ldexp(fraction, -24)
	case 0x1f:
		if fraction != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}

// float writes a number in plain decimal, with as many digits as tell it from its neighbours.
func float(v float64, bits int) string {
	if v == 0 {
		return "0" // -0 too
	}
	return strconv.FormatFloat(v, 'f', -1, bits)
}

// unscaled is the whole number of a decimal: stored as an integer, or as two's complement with the
// highest byte first.
func (t *valueType) unscaled(raw []byte) *big.Int {
	if t.whole {
		return big.NewInt(signed(raw))
	}
	x := new(big.Int).SetBytes(raw)
	if len(raw) > 0 && raw[0] >= 0x80 {
		x.Sub(x, new(big.Int).Lsh(big.NewInt(1), uint(8*len(raw))))
	}
	return x
}

// decimal writes x / 10^scale, with scale digits after the point.
func decimal(x *big.Int, scale int) string {
	if scale == 0 {
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
