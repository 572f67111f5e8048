package main

import (
	"fmt"
	"net/netip"

	"parley/internal/channel"
	"parley/internal/edge/persisted"
	"parley/internal/edge/server"
	"parley/internal/edge/token"
	"parley/internal/ground/allowance"
)

// issuers reads whose tokens are taken besides Parley's own.
func (s *serveCmd) issuers() ([]token.Issuer, error) {
	if s.Issuers == "" {
		return nil, nil
	}
	issuers, err := token.ReadIssuers(s.Issuers, s.Mode == server.Development)
	if err != nil {
		return nil, fmt.Errorf("--issuers: %w", err)
	}
	return issuers, nil
}

// bounds reads what callers may do.
func (s *serveCmd) bounds() (func(*server.Options), error) {
	var documents persisted.Documents
	if s.Documents != "" {
		var err error
		if documents, err = persisted.Read(s.Documents); err != nil {
			return nil, fmt.Errorf("--documents: %w", err)
		}
	}
	if s.PublicURL != "" {
		if err := channel.CheckPublicURL(s.PublicURL); err != nil {
			return nil, fmt.Errorf("--public-url: %w", err)
		}
	}
	proxies, err := networks(s.Proxies)
	if err != nil {
		return nil, fmt.Errorf("--proxies: %w", err)
	}
	return func(o *server.Options) {
		o.Documents, o.Introspection, o.Proxies = documents, s.Introspection, proxies
		o.Socket.PerViewer = s.Connections
		o.Rate, o.Attempts, o.InFlight = orAny(s.Rate), orAny(s.Attempts), orAny(s.InFlight)
		o.Answers = allowance.Bounds{Answer: s.AnswerBytes, Process: s.AnswersBytes}
	}, nil
}

// orAny turns the command line's 0 into the server's word for any.
func orAny[T int | float64](rate T) T {
	if rate <= 0 {
		return -1
	}
	return rate
}

// networks reads networks, and addresses that stand for themselves.
func networks(texts []string) (networks []netip.Prefix, err error) {
	for _, text := range texts {
		if address, err := netip.ParseAddr(text); err == nil {
			networks = append(networks, netip.PrefixFrom(address, address.BitLen()))
			continue
		}
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is not an address or network, such as 10.0.0.0/8", text)
		}
		networks = append(networks, network)
	}
	return networks, nil
}
