package channeltest

import (
	"context"
	"net"
	"net/netip"

	"golang.org/x/net/dns/dnsmessage"
)

// Names has this process look host names up in a table, each with the addresses given,
// instead of in the network. Call it before any test runs, from an init or TestMain.
func Names(table map[string][]netip.Addr) {
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go serveNames(server, table)
		return packets{client}, nil
	}}
}

// packets makes the resolver take a pipe for a connection of packets.
type packets struct{ net.Conn }

// ReadFrom implements net.PacketConn.
func (p packets) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := p.Read(b)
	return n, p.RemoteAddr(), err
}

// WriteTo implements net.PacketConn.
func (p packets) WriteTo(b []byte, _ net.Addr) (int, error) { return p.Write(b) }

func serveNames(c net.Conn, table map[string][]netip.Addr) {
	defer func() { _ = c.Close() }()
	asked := make([]byte, 1500)
	for {
		n, err := c.Read(asked)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(asked[:n]) != nil || len(m.Questions) != 1 {
			return
		}
		answer, err := answerTo(&m, table)
		if err != nil {
			return
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

func answerTo(m *dnsmessage.Message, table map[string][]netip.Addr) ([]byte, error) {
	q := m.Questions[0]
	name := q.Name.String()
	addresses, known := table[name[:max(len(name)-1, 0)]] // without the final dot
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	if !known {
		m.RCode = dnsmessage.RCodeNameError
	}
	for _, a := range addresses {
		head := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1}
		switch {
		case a.Is4() && q.Type == dnsmessage.TypeA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: a.As4()}})
		case !a.Is4() && q.Type == dnsmessage.TypeAAAA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	return m.Pack()
}
