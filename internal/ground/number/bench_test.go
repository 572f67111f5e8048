package number_test

import (
	"testing"

	"parley/internal/ground/number"
)

// Each send and each row that shows whether one may send asks both.
func BenchmarkAgain(b *testing.B) {
	for b.Loop() {
		if _, err := number.Read("+12025550111", "", number.Carrier); err != nil || !number.Within("+12025550111", "US") {
			b.Fatal("it is a number of the United States")
		}
	}
}
