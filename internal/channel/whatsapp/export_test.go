package whatsapp

// Unchecked is Encode without its refusals.
var Unchecked = encode

// UncheckedTemplate is EncodeTemplate without its refusals.
var UncheckedTemplate = encodeTemplate
