package channel

import (
	"cmp"
	"time"
)

// SendLimits are how much a carrier takes from one channel; zero where no such limit is
// stated. Messages leave no faster than a PerSecond that was set for their channel. All
// else is for people and frontends to go by: the carrier itself enforces it, and Parley
// repeats what the carrier puts off.
type SendLimits struct {
	PerSecond       int `json:"perSecond,omitempty"`       // messages
	PerMonth        int `json:"perMonth,omitempty"`        // messages
	PerInbound      int `json:"perInbound,omitempty"`      // messages for each that came in
	PerReachable    int `json:"perReachable,omitempty"`    // messages a day for each person who can be reached
	CustomersPerDay int `json:"customersPerDay,omitempty"` // different customers in 24 hours
}

// Or are the limits with those of defaults where none is stated.
func (l SendLimits) Or(defaults SendLimits) SendLimits {
	return SendLimits{
		PerSecond: cmp.Or(l.PerSecond, defaults.PerSecond), PerMonth: cmp.Or(l.PerMonth, defaults.PerMonth),
		PerInbound: cmp.Or(l.PerInbound, defaults.PerInbound), PerReachable: cmp.Or(l.PerReachable, defaults.PerReachable),
		CustomersPerDay: cmp.Or(l.CustomersPerDay, defaults.CustomersPerDay),
	}
}

// All are the limits by the names of their fields in the graph.
func (l SendLimits) All() map[string]int {
	return map[string]int{
		"messagesPerSecond": l.PerSecond, "messagesPerMonth": l.PerMonth, "messagesPerInbound": l.PerInbound,
		"dailyMessagesPerReachable": l.PerReachable, "customersPerDay": l.CustomersPerDay,
	}
}

// MessagesPerSecond is PerSecond, nil where none is stated.
func (l *SendLimits) MessagesPerSecond() *int { return stated(l.PerSecond) }

// MessagesPerMonth is PerMonth, nil where none is stated.
func (l *SendLimits) MessagesPerMonth() *int { return stated(l.PerMonth) }

// MessagesPerInbound is PerInbound, nil where none is stated.
func (l *SendLimits) MessagesPerInbound() *int { return stated(l.PerInbound) }

// DailyMessagesPerReachable is PerReachable, nil where none is stated.
func (l *SendLimits) DailyMessagesPerReachable() *int { return stated(l.PerReachable) }

// DailyCustomers is CustomersPerDay, nil where none is stated.
func (l *SendLimits) DailyCustomers() *int { return stated(l.CustomersPerDay) }

// Pace is the time from one message to the next; 0 without a PerSecond.
func (l *SendLimits) Pace() time.Duration {
	if l.PerSecond == 0 {
		return 0
	}
	return time.Second / time.Duration(l.PerSecond)
}
