package directory

// Organization is whose desk this is.
type Organization struct {
	Name     string
	TimeZone string // an IANA name

	country string
}

// Country is its two letters; nil when it is not known.
func (o *Organization) Country() *string { return stated(o.country) }

// Organization is whose desk this is.
func (d *Directory) Organization() *Organization { return d.now.Load().organization }
