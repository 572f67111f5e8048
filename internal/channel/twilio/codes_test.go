package twilio_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/channel/twilio"
)

// documented are the numbers that our table maps, by their titles in Twilio's error
// dictionary in short, and the code of the domain that says the same.
var documented = map[int]struct {
	title string
	want  channel.ErrorCode
}{
	10001: {"Account is not active", channel.CheckChannelSettings},
	20003: {"Authentication failed", channel.CheckChannelSettings},
	20005: {"Account is not active", channel.CheckChannelSettings},
	20403: {"Forbidden", channel.CheckChannelSettings},
	20404: {"The resource was not found", channel.CheckChannelSettings},
	21211: {"Invalid To number", channel.BadDestination},
	21212: {"Invalid From number", channel.ChannelMisconfigured},
	21214: {"To cannot be reached", channel.BadDestination},
	21217: {"Number does not appear to be valid", channel.BadDestination},
	21266: {"To and From cannot be the same", channel.BadDestination},
	21408: {"Permission to send to this region is not enabled", channel.ChannelMisconfigured},
	21601: {"Number is not SMS-capable", channel.ChannelMisconfigured},
	21602: {"Message body is required", channel.CannotBeSent},
	21603: {"A From number is required", channel.ChannelMisconfigured},
	21604: {"A To number is required", channel.BadDestination},
	21605: {"Maximum body length exceeded", channel.BodyTooLarge},
	21606: {"From is not a valid, SMS-capable number of the account", channel.ChannelMisconfigured},
	21608: {"The number is unverified; trial accounts reach verified ones", channel.BadDestination},
	21609: {"Invalid StatusCallback URL", channel.CheckChannelSettings},
	21610: {"The recipient has replied STOP", channel.RecipientBlocked},
	21612: {"To is not reachable from this From", channel.ChannelMisconfigured},
	21614: {"To is not a mobile number", channel.BadDestination},
	21617: {"Concatenated body exceeds 1,600 characters", channel.BodyTooLarge},
	21619: {"A body or media URLs must be given", channel.CannotBeSent},
	21620: {"Invalid media URL", channel.BadFileType},
	21623: {"Number of media files exceeds the limit", channel.TooManyAttachments},
	21635: {"To cannot be a landline", channel.BadDestination},
	21659: {"From is not a Twilio number, or a short code of another country", channel.ChannelMisconfigured},
	21660: {"From belongs to another account", channel.ChannelMisconfigured},
	21661: {"From is not SMS-capable", channel.ChannelMisconfigured},
	30001: {"Queue overflow", channel.ChannelCannotSend},
	30002: {"Account suspended", channel.CheckChannelSettings},
	30003: {"Unreachable destination handset", channel.BadDestination},
	30004: {"Message blocked", channel.CarrierBlocks},
	30005: {"Unknown destination handset", channel.BadDestination},
	30006: {"Landline or unreachable carrier", channel.BadDestination},
	30007: {"Message filtered", channel.FlaggedAsSpam},
	30008: {"Unknown error", channel.CannotBeSent},
	30009: {"Missing segment", channel.CannotBeSent},
	30010: {"Message price exceeds the maximum", channel.ChannelCannotSend},
	30011: {"MMS is not supported by the receiving number's region", channel.BadDestination},
	30017: {"Carrier network congestion", channel.ServiceUnreachable},
	30018: {"Destination carrier requires registration of the sender ID", channel.CheckChannelSettings},
	30019: {"Content size exceeds the carrier's limit", channel.AttachmentTooLarge},
	30022: {"US A2P 10DLC rate limits exceeded", channel.ChannelCannotSend},
	30023: {"US A2P 10DLC daily message cap reached", channel.ChannelCannotSend},
	30024: {"Numeric sender ID is not provisioned at the carrier", channel.NumberNotVerified},
	30027: {"US A2P 10DLC daily limit reached at the carrier", channel.ChannelCannotSend},
	30032: {"Toll-free number has not been verified", channel.NumberNotVerified},
	30034: {"Message from an unregistered number", channel.NumberNotVerified},
	30036: {"Validity period expired", channel.ServiceUnreachable},
	30037: {"Outbound messaging disabled", channel.ChannelMisconfigured},
	30410: {"Provider timed out", channel.ServiceUnreachable},
	30500: {"Internal failure at the provider", channel.ServiceUnreachable},
	63003: {"Channel could not find the To address", channel.BadDestination},
	63007: {"Channel with this From address was not found", channel.ChannelMisconfigured},
	63016: {"Free-form message outside the allowed window", channel.OutsideWindow},
	63018: {"Rate limit of the channel exceeded", channel.ChannelCannotSend},
	63024: {"Invalid message recipient", channel.BadDestination},
	63038: {"Account exceeded the daily messages limit", channel.ChannelCannotSend},
}

func TestEveryNumberMeansWhatTwilioDocuments(t *testing.T) {
	t.Parallel()
	require.Len(t, documented, len(twilio.Codes))
	p := twilio.New(twilio.Options{})
	for number, is := range documented {
		t.Run(is.title, func(t *testing.T) {
			t.Parallel()
			got := p.Parse(account, hook("MessageSid", sid, "MessageStatus", "failed", "ErrorCode", strconv.Itoa(number)))
			require.Equal(t, []channel.Receipt{{
				EventID: sid + ".failed", AttemptKey: "key1", ProviderID: sid, Status: channel.Failed, Code: is.want,
				OptedOut: number == 21610, Detail: "Twilio error " + strconv.Itoa(number),
			}}, got.Receipts)
			require.NotEmpty(t, is.want.Explain())
		})
	}
}
