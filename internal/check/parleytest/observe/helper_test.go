package observe_test

import (
	"crypto/rand"

	"parley/internal/channel"
	"parley/internal/check/parleytest"
)

func inbound() channel.Inbound {
	id := "SM" + rand.Text()
	return channel.Inbound{EventID: id, ProviderID: id, From: customer, To: parleytest.Billing, Text: "Hello"}
}
