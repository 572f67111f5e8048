// Command flawed calls what the made-up database says is flawed.
package main

import (
	"os"
	"strings"
)

func main() { _, _ = os.Stdout.WriteString(strings.ToUpper("flawed")) }
