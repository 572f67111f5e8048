package directory

import "reflect"

// Same reports whether two directories answer alike in everything.
func Same(a, b *Directory) bool { return reflect.DeepEqual(a.now.Load(), b.now.Load()) }
