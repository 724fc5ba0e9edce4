package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ablate/specs"
)

// size is a number of bytes on the command line: 6GB, 6G, 5.5GiB, 6000000000.
type size int64

// UnmarshalText is how the command line reads it.
func (s *size) UnmarshalText(text []byte) error {
	t := strings.TrimSpace(string(text))
	if unit := strings.TrimSuffix(t, "B"); unit != t && strings.ContainsAny(unit[max(0, len(unit)-1):], "kKMGTi") {
		t = unit
	}
	n, err := specs.ParseCount(t)
	if err != nil || n < 1 {
		return fmt.Errorf("%q is not a size; write for example 6GB or 512Mi", text)
	}
	*s = size(n)
	return nil
}

// days is an age: a duration, or a number of days as 30d.
type days time.Duration

// UnmarshalText is how the command line reads it.
func (d *days) UnmarshalText(text []byte) error {
	if n, ok := strings.CutSuffix(string(text), "d"); ok {
		if f, err := strconv.ParseFloat(n, 64); err == nil && f >= 0 && f < 1e5 {
			*d = days(f * 24 * float64(time.Hour))
			return nil
		}
	}
	age, err := time.ParseDuration(string(text))
	if err != nil || age < 0 {
		return fmt.Errorf("%q is not an age; write for example 30d or 12h", text)
	}
	*d = days(age)
	return nil
}
