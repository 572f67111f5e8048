package channel

// ErrorCode says why a message failed, in the numbering of the domain: 0xxx the
// platform, 1xxx the source address, 2xxx the destination, 3xxx the message.
type ErrorCode string

// The error codes.
const (
	ServiceUnreachable    ErrorCode = "0001"
	ServiceUnreachable2   ErrorCode = "0002"
	CheckChannelSettings  ErrorCode = "0003"
	OutsideWindow         ErrorCode = "0004"
	ChannelCannotSend     ErrorCode = "0005"
	SessionHeldElsewhere  ErrorCode = "0006"
	ChannelMisconfigured  ErrorCode = "1001"
	ChannelMisconfigured2 ErrorCode = "1002"
	NumberNotVerified     ErrorCode = "1003"
	NumberBlocked         ErrorCode = "1004"
	BadDestination        ErrorCode = "2001"
	RecipientBlocked      ErrorCode = "2002"
	CarrierBlocks         ErrorCode = "2004"
	CannotBeSent          ErrorCode = "3001"
	BadFileType           ErrorCode = "3002"
	FlaggedAsSpam         ErrorCode = "3003"
	BodyTooLarge          ErrorCode = "3004"
	AttachmentTooLarge    ErrorCode = "3005"
	TooManyAttachments    ErrorCode = "3006"
	InvalidIntent         ErrorCode = "3007"
)

// Explain says in plain English what the code means and what to do.
func (c ErrorCode) Explain() string { return explanations[c] }

var explanations = map[ErrorCode]string{
	ServiceUnreachable:    "The carrier could not be reached. Try again later.",
	ServiceUnreachable2:   "The carrier could not be reached. Try again later.",
	CheckChannelSettings:  "The carrier refused the account. Ask an administrator to check the channel's settings.",
	OutsideWindow:         "The care window for this customer is closed. Wait until they write, or send a registered template.",
	ChannelCannotSend:     "The channel cannot send right now. Try again later, or use another channel.",
	SessionHeldElsewhere:  "Another application controls the conversation with this customer. Try again when it has released it.",
	ChannelMisconfigured:  "The channel is not set up correctly. Ask an administrator.",
	ChannelMisconfigured2: "The channel is not set up correctly. Ask an administrator.",
	NumberNotVerified:     "The sending number is not verified yet. Ask an administrator to verify it with the carrier.",
	NumberBlocked:         "The sending number is blocked. Ask an administrator to find out why from the carrier.",
	BadDestination:        "The customer's number cannot receive messages. Check it.",
	RecipientBlocked:      "The customer has blocked this sender or unsubscribed from it. Do not try again.",
	CarrierBlocks:         "The customer's carrier blocked this message. Rewrite it, or use another channel.",
	CannotBeSent:          "The message cannot be sent as it is. Rewrite it.",
	BadFileType:           "The file's type is not accepted. Send it as another type.",
	FlaggedAsSpam:         "The message was flagged as spam. Rewrite it.",
	BodyTooLarge:          "The text is too long. Shorten it.",
	AttachmentTooLarge:    "The attachment is too large. Send a smaller one.",
	TooManyAttachments:    "There are too many attachments. Send fewer.",
	InvalidIntent:         "The message's purpose is not accepted on this channel. Use another channel or a template that fits.",
}
