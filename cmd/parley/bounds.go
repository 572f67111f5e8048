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
		below := false
		switch {
		case value.Type() == reflect.TypeFor[time.Duration]():
			bound, err := time.ParseDuration(least)
			if err != nil {
				return err
			}
			below = time.Duration(value.Int()) < bound
		default:
			bound, err := strconv.ParseFloat(least, 64)
			if err != nil {
				return err
			}
			given := number(value)
			below = math.IsNaN(given) || math.IsInf(given, 0) || given < bound
		}
		if below {
			return fmt.Errorf("--%s is %s or more, not %v", flag.Name, least, value)
		}
	}
	return nil
}

func number(value reflect.Value) float64 {
	if value.CanFloat() {
		return value.Float()
	}
	return float64(value.Int())
}
