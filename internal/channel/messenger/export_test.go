package messenger

// Unchecked is Encode without its refusals.
var Unchecked = encode
