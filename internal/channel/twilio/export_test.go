package twilio

// Codes is the table of Twilio's numbers.
var Codes = codes
