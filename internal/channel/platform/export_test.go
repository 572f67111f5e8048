package platform

// Texted is what Encode writes for SMS, without its refusals.
var Texted = texted
