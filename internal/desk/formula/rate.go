package formula

import (
	"strings"

	"parley/internal/ground/decimal"
)

// MostRates bounds the rates that CURRENCYRATE can know.
const MostRates = 300

// Rate is the rate of a currency for CURRENCYRATE, as it is given and stored.
type Rate struct {
	Code string `json:"code"`
	Rate string `json:"rate"` // a decimal
}

// Rates are rates as an Environment takes them. One that is no number is left out, so
// that CURRENCYRATE does not know it.
func Rates(given []Rate) map[string]decimal.Decimal {
	rates := make(map[string]decimal.Decimal, len(given))
	for _, r := range given {
		if rate, err := decimal.Parse(r.Rate); err == nil {
			rates[strings.ToUpper(r.Code)] = rate
		}
	}
	return rates
}
