package webchat

// Unchecked is Encode without its refusals.
var Unchecked = encode
