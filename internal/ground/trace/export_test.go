package trace

import "go.opentelemetry.io/otel"

// NewSeldom lets tests see how lost traces are logged.
func NewSeldom() otel.ErrorHandler { return &seldom{} }
