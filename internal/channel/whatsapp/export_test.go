package whatsapp

// Unchecked is Encode without its refusals.
var Unchecked = encode
