package channel

import "slices"

const (
	kB = 1 << 10
	mB = 1 << 20
)

// FileRule is what a kind of channel takes of files with some extensions. A message
// holds one file.
type FileRule struct {
	Extensions []string // without the dot
	In, Out    int      // most bytes from and to the customer; zero: not that way
	// LinkAbove is the size in bytes above which an outbound file goes as a link; zero:
	// any does. It is nil where none does.
	LinkAbove *int
}

// MostIn is the most bytes of a file from the customer; nil where none is taken.
func (r *FileRule) MostIn() *int { return stated(r.In) }

// MostOut is the most bytes of a file to the customer; nil where none is sent.
func (r *FileRule) MostOut() *int { return stated(r.Out) }

// stated is a number that is zero where there is none.
func stated(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

// smsFiles go to every carrier of the US and Canada with 500 KB; some take more.
func smsFiles(in int) []FileRule {
	return []FileRule{{Extensions: []string{"jpg", "jpeg", "png", "gif"}, In: in, Out: 500 * kB}}
}

func whatsAppFiles() []FileRule {
	return []FileRule{{Extensions: []string{"jpg", "jpeg", "png", "pdf"}, In: 5 * mB, Out: 5 * mB}}
}

func whatsAppEnhancedFiles() []FileRule {
	const most = 25 * mB
	return []FileRule{
		{Extensions: []string{"jpeg", "png"}, In: 5 * mB, Out: most, LinkAbove: new(5 * mB)},
		{Extensions: []string{"gif"}, In: 5 * mB},
		{Extensions: []string{"pdf", "doc", "docx", "ppt", "pptx", "pps", "xls", "xlsx"}, In: 30 * mB, Out: most, LinkAbove: new(16 * mB)},
		{Extensions: []string{"txt", "csv", "ppsx"}, In: 30 * mB, Out: most, LinkAbove: new(0)},
		{Extensions: []string{"json", "xml", "rtf"}, Out: most, LinkAbove: new(0)},
		{Extensions: []string{"zip", "tiff"}, In: 30 * mB},
		{Extensions: []string{"aac", "amr", "mp4"}, In: 16 * mB, Out: most, LinkAbove: new(16 * mB)},
		{Extensions: []string{"mp3", "ogg"}, In: 16 * mB},
		{Extensions: []string{"3gp"}, In: 16 * mB, Out: most, LinkAbove: new(0)},
	}
}

func facebookFiles() []FileRule {
	return []FileRule{{Extensions: []string{"jpg", "jpeg", "png", "gif"}, In: 25 * mB, Out: 25 * mB}}
}

func facebookEnhancedFiles() []FileRule {
	return []FileRule{{
		Extensions: []string{"pdf", "png", "bmp", "tiff", "gif", "jpeg", "jpg", "xbm", "xpm", "mp3", "mp4"},
		In:         25 * mB, Out: 10 * mB,
	}}
}

// webFiles are also in-app's, which takes no GIF.
func webFiles(more ...string) []FileRule {
	return []FileRule{{Extensions: slices.Concat([]string{"pdf", "png", "jpeg", "jpg", "bmp", "tiff"}, more), In: 5 * mB, Out: 5 * mB}}
}
