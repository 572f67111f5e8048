package main

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"

	"github.com/alecthomas/kong"
)

// withinBounds refuses numbers and times below what their flag's tag "least" says,
// and what is no number.
func withinBounds(flags []*kong.Flag) error {
	for _, flag := range flags {
		if !flag.Tag.Has("least") {
			continue
		}
		least, value := flag.Tag.Get("least"), flag.Target
		below, err := isBelow(value, least)
		if err != nil {
			return err
		}
		if below {
			return fmt.Errorf("--%s must be %s or more, not %v", flag.Name, least, value)
		}
	}
	return nil
}

// isBelow reports whether a flag's value is less than what is written.
func isBelow(value reflect.Value, least string) (bool, error) {
	if value.Type() == reflect.TypeFor[time.Duration]() {
		bound, err := time.ParseDuration(least)
		return time.Duration(value.Int()) < bound, err
	}
	bound, err := strconv.ParseFloat(least, 64)
	given := number(value)
	return math.IsNaN(given) || math.IsInf(given, 0) || given < bound, err
}

func number(value reflect.Value) float64 {
	if value.CanFloat() {
		return value.Float()
	}
	return float64(value.Int())
}
