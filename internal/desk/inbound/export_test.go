package inbound

import "context"

// ForgetCrowded is forgetCrowded with a bound that a test can fill.
func ForgetCrowded(r *Receiver, most int64) (int64, error) {
	return r.forgetCrowded(context.Background(), most)
}
