package twilio

import (
	"strings"

	"parley/internal/channel"
)

// codes says what Twilio's error numbers mean to an agent. They come in answers
// to a send and as ErrorCode of a status callback alike. Source: Twilio's error
// dictionary, https://www.twilio.com/docs/api/errors.
var codes = map[int]channel.ErrorCode{
	// Our account.
	10001: channel.CheckChannelSettings, // account is not active
	20003: channel.CheckChannelSettings, // authentication failed
	20005: channel.CheckChannelSettings, // account is not active
	20403: channel.CheckChannelSettings, // forbidden
	20404: channel.CheckChannelSettings, // no such account
	21609: channel.CheckChannelSettings, // StatusCallback is not a valid URL
	30002: channel.CheckChannelSettings, // account suspended
	30010: channel.ChannelCannotSend,    // the price of the message exceeds the account's maximum
	30018: channel.CheckChannelSettings, // destination needs sender registration
	30022: channel.ChannelCannotSend,    // US carrier's rate or daily limit
	30023: channel.ChannelCannotSend,    // US carrier's daily message cap reached
	30027: channel.ChannelCannotSend,    // carrier's daily limit of the campaign
	63038: channel.ChannelCannotSend,    // account's daily message limit

	// The sending number.
	21212: channel.ChannelMisconfigured, // invalid From
	21408: channel.ChannelMisconfigured, // region not enabled for the account
	21601: channel.ChannelMisconfigured, // From cannot send messages
	21603: channel.ChannelMisconfigured, // From is missing
	21606: channel.ChannelMisconfigured, // From is not ours or cannot send SMS
	21612: channel.ChannelMisconfigured, // no route between From and To
	21659: channel.ChannelMisconfigured, // From is not a Twilio number
	21660: channel.ChannelMisconfigured, // From belongs to another account
	21661: channel.ChannelMisconfigured, // From cannot send SMS
	30024: channel.NumberNotVerified,    // sender not provisioned by the carrier
	30032: channel.NumberNotVerified,    // toll-free number not verified
	30034: channel.NumberNotVerified,    // number not in a registered campaign
	30037: channel.ChannelMisconfigured, // outbound messaging disabled

	// The destination.
	21211: channel.BadDestination, // invalid To
	21214: channel.BadDestination, // To cannot be reached
	21217: channel.BadDestination, // number does not look valid
	21604: channel.BadDestination, // To is missing
	21608: channel.BadDestination, // trial accounts reach verified numbers only
	21266: channel.BadDestination, // To is From
	21614: channel.BadDestination, // To is no mobile number
	21635: channel.BadDestination, // To is a landline
	30003: channel.BadDestination, // handset unreachable
	30005: channel.BadDestination, // handset unknown
	30006: channel.BadDestination, // landline or unreachable carrier
	30011: channel.BadDestination, // MMS not supported in the destination's region

	// The recipient or their carrier.
	optedOut: channel.RecipientBlocked, // recipient has replied STOP
	30004:    channel.CarrierBlocks,    // message blocked
	30007:    channel.FlaggedAsSpam,    // filtered by the carrier or Twilio

	// The message.
	21602: channel.CannotBeSent, // Body is missing
	21605: channel.BodyTooLarge, // Body over 1,600 characters (older number)
	21617: channel.BodyTooLarge, // Body over 1,600 characters
	21619: channel.CannotBeSent, // nothing to send
	21620: channel.BadFileType,  // invalid media URL
	21623: channel.TooManyAttachments,
	30008: channel.CannotBeSent, // the carrier gave no reason
	30009: channel.CannotBeSent, // a segment is missing
	30019: channel.AttachmentTooLarge,

	// Queues.
	30001: channel.ChannelCannotSend,  // queue overflow
	30017: channel.ServiceUnreachable, // carrier network congestion
	30036: channel.ServiceUnreachable, // validity period expired
	30500: channel.ServiceUnreachable, // internal failure at Twilio
	30410: channel.ServiceUnreachable, // provider timed out

	// Other channels.
	63018: channel.ChannelCannotSend,    // channel's rate limit
	63016: channel.OutsideWindow,        // free text outside the care window
	63024: channel.BadDestination,       // invalid recipient
	63003: channel.BadDestination,       // recipient not found
	63007: channel.ChannelMisconfigured, // no such sender
}

// optedOut is the number by which Twilio says that the customer has replied STOP:
// it takes nothing for them from this sender until they reply START.
const optedOut = 21610

// consent is what Twilio takes an inbound message for: by its own word, where the
// account has Advanced Opt-Out, or by the keywords after which it sends again.
// Source: https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out.
func consent(optOutType, body string) channel.Consent {
	switch word := strings.ToUpper(strings.TrimSpace(body)); {
	case optOutType == "STOP":
		return channel.OptOut
	case optOutType == "START", optOutType == "" && (word == "START" || word == "UNSTOP" || word == "YES"):
		return channel.ImplicitOptIn
	}
	return ""
}

// throttles are the numbers by which Twilio refuses a send for its pace alone;
// such a request was not processed and is safe to repeat.
var throttles = map[int]bool{
	14107: true, // SMS send rate limit
	20429: true, // too many requests
	21611: true, // the number's queue is full
	63018: true, // channel's rate limit
}

// failure is the code of a message that a status callback reports as failed.
func failure(number int) channel.ErrorCode {
	if code, known := codes[number]; known {
		return code
	}
	return channel.CannotBeSent
}
