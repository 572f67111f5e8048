package doctor

import (
	"net"
	"net/url"

	"parley/internal/channel"
)

// production is the mode in which strangers may call.
const production = "production"

// settings says what the settings mean together, without looking anywhere.
func (e *examination) settings() {
	for _, f := range []Finding{e.publicURL(), e.origins(), e.privateAddr(), e.mode(), e.refused()} {
		f.Check = "settings"
		e.say(f)
	}
}

func (e *examination) publicURL() Finding {
	u, err := url.Parse(e.PublicURL)
	switch {
	case e.PublicURL == "" && e.Mode == production:
		return warn("Set --public-url to exactly the URL configured at the carriers, such as https://parley.example.com.",
			"No public URL is set: webhook signatures are checked against the address %s, to which no carrier posts.", e.Addr)
	case e.PublicURL == "":
		return ok("No public URL is set; it is derived from the address.")
	case channel.CheckPublicURL(e.PublicURL) != nil || err != nil:
		return fail("Write scheme and host in --public-url, such as https://parley.example.com.", "The public URL is not a plain address.")
	case u.Scheme == "http" && e.Mode == production && !loopback(u.Hostname()):
		return warn("Put TLS in front of the server and write https in --public-url.",
			"The public URL is http: tokens and messages travel unencrypted.")
	}
	return ok("The public URL is %s.", e.PublicURL)
}

func (e *examination) origins() Finding {
	for _, origin := range e.Origins {
		u, err := url.Parse(origin)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || origin != u.Scheme+"://"+u.Host:
			return fail("Write only scheme and host in --origins, such as https://desk.example.com.", "%q in --origins is not an origin; the server does not start.", origin)
		case u.Scheme == "http" && e.Mode == production && !loopback(u.Hostname()):
			return warn("Serve that page over https and list it with https in --origins.", "The origin %s is http: anyone on the network path can act as its users.", origin)
		}
	}
	return ok("%d web origins are allowed in addition to the server's own.", len(e.Origins))
}

func (e *examination) privateAddr() Finding {
	const do = "Give --private-addr an address that only operators can reach, such as 127.0.0.1:9090."
	host, port, err := net.SplitHostPort(e.PrivateAddr)
	switch {
	case e.PrivateAddr == "":
		return ok("Metrics and profiles are not served.")
	case err != nil:
		return fail(do, "The private address %q is not host:port.", e.PrivateAddr)
	case e.PrivateAddr == e.Addr && port != "0":
		return fail(do, "The private address is the same as the public one.")
	case host == "" || net.ParseIP(host).IsUnspecified():
		return warn(do, "Metrics and profiles are served on every network of this machine, without a password.")
	}
	return ok("Metrics and profiles are served at %s.", e.PrivateAddr)
}

func (e *examination) mode() Finding {
	host, _, err := net.SplitHostPort(e.Addr)
	switch {
	case err != nil:
		return fail("Write --addr as host:port, such as 127.0.0.1:8080.", "The address %q is not host:port.", e.Addr)
	case e.Mode != production && !loopback(host):
		return warn("Use --mode production if others can reach the server.", "Development mode shows the whole schema to anyone who can reach %s.", e.Addr)
	case e.Demo && e.Mode == production:
		return warn("Leave out --demo if you have real customers.", "The demo simulates the carriers: nothing is sent to anyone.")
	}
	return ok("Mode %s at %s.", e.Mode, e.Addr)
}

func (e *examination) refused() Finding {
	if e.Refused != nil {
		return fail("Correct the setting, or the file it names; parley serve --help lists them.", "The server does not start: %v.", e.Refused)
	}
	return ok("The server accepts its flags and the files they name.")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
