package switchboard_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
)

// Each field of the graph's capabilities is the one of Go: three types that differ in
// every one of them are spelt out.
func TestCapabilitiesAreData(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const all = `type agentCanStart automationCanStart automationCountries canBroadcast agentCanMarkInactive customerCanEnd showsTypingToAgent
		showsTypingToCustomer readReceipts deliveryReceipts hasEstimatedWait components hasAutoResponseComponents canTransfer hasSensitiveDataRules hasTemplates
		hasLinkingRules canSendTextWithFile waitsForBusinessHours consentModes careWindowHours humanAgentWindowHours textLimit { characters segments }
		autoResponseCharacters inboundTextBytes fileCountries limits { messagesPerSecond messagesPerMonth messagesPerInbound dailyMessagesPerReachable customersPerDay }`
	got := b.As("amy").Do(`{ channelTypes { `+all+` files { extensions inboundBytes outboundBytes linkAboveBytes } } }`, nil).Get("channelTypes")
	require.Len(t, got.List(), len(channel.Types()))
	for i, want := range []vars{
		{
			"type": "SMS_TOLL_FREE", "agentCanStart": true, "automationCanStart": true, "automationCountries": []string{"US"}, "canBroadcast": true, "agentCanMarkInactive": false,
			"customerCanEnd": false, "showsTypingToAgent": false, "showsTypingToCustomer": false, "readReceipts": "NEVER", "deliveryReceipts": "WHEN_REPORTED",
			"hasEstimatedWait": false, "components": "AS_TEXT", "hasAutoResponseComponents": false, "canTransfer": false, "hasSensitiveDataRules": true, "hasTemplates": true,
			"hasLinkingRules": true, "canSendTextWithFile": false, "waitsForBusinessHours": true, "consentModes": []string{"IMPLICIT_OPT_IN"},
			"careWindowHours": nil, "humanAgentWindowHours": nil, "textLimit": vars{"characters": 840, "segments": 6}, "autoResponseCharacters": nil, "inboundTextBytes": nil,
			"fileCountries": []string{"US", "CA"}, "files": []vars{{"extensions": []string{"jpg", "jpeg", "png", "gif"}, "inboundBytes": 525 << 10, "outboundBytes": 500 << 10, "linkAboveBytes": nil}},
			"limits": vars{"messagesPerSecond": 10, "messagesPerMonth": nil, "messagesPerInbound": nil, "dailyMessagesPerReachable": nil, "customersPerDay": nil},
		},
		{
			"type": "FACEBOOK_ENHANCED", "agentCanStart": false, "automationCanStart": false, "automationCountries": []string{}, "canBroadcast": false, "agentCanMarkInactive": true,
			"customerCanEnd": false, "showsTypingToAgent": false, "showsTypingToCustomer": true, "readReceipts": "NEVER", "deliveryReceipts": "ALWAYS",
			"hasEstimatedWait": false, "components": "NATIVE", "hasAutoResponseComponents": false, "canTransfer": true, "hasSensitiveDataRules": false, "hasTemplates": true,
			"hasLinkingRules": true, "canSendTextWithFile": true, "waitsForBusinessHours": false, "consentModes": []string{"IMPLICIT_OPT_IN", "EXPLICIT_OPT_IN"},
			"careWindowHours": 24, "humanAgentWindowHours": 168, "textLimit": vars{"characters": 2000, "segments": nil}, "autoResponseCharacters": nil, "inboundTextBytes": 9 << 10,
			"fileCountries": []string{}, "files": []vars{{"extensions": strings.Split("pdf png bmp tiff gif jpeg jpg xbm xpm mp3 mp4", " "), "inboundBytes": 25 << 20, "outboundBytes": 10 << 20, "linkAboveBytes": nil}},
			"limits": vars{"messagesPerSecond": 250, "messagesPerMonth": nil, "messagesPerInbound": nil, "dailyMessagesPerReachable": 200, "customersPerDay": nil},
		},
		{
			"type": "IN_APP", "agentCanStart": false, "automationCanStart": false, "automationCountries": []string{}, "canBroadcast": false, "agentCanMarkInactive": true,
			"customerCanEnd": true, "showsTypingToAgent": true, "showsTypingToCustomer": true, "readReceipts": "ALWAYS", "deliveryReceipts": "ALWAYS",
			"hasEstimatedWait": true, "components": "NATIVE", "hasAutoResponseComponents": true, "canTransfer": true, "hasSensitiveDataRules": false, "hasTemplates": false,
			"hasLinkingRules": false, "canSendTextWithFile": true, "waitsForBusinessHours": false, "consentModes": []string{},
			"careWindowHours": nil, "humanAgentWindowHours": nil, "textLimit": vars{"characters": 4096, "segments": nil}, "autoResponseCharacters": nil, "inboundTextBytes": nil,
			"fileCountries": []string{}, "files": []vars{{"extensions": strings.Split("pdf png jpeg jpg bmp tiff", " "), "inboundBytes": 5 << 20, "outboundBytes": 5 << 20, "linkAboveBytes": nil}},
			"limits": vars{"messagesPerSecond": nil, "messagesPerMonth": nil, "messagesPerInbound": nil, "dailyMessagesPerReachable": nil, "customersPerDay": nil},
		},
	} {
		at := []int{1, 6, 8}[i]
		encoded, err := json.Marshal(want)
		require.NoError(t, err)
		require.JSONEq(t, string(encoded), got.Get(at).String())
	}
	of := b.As("amy").Do(`{ channels { capabilities { `+all+` } } }`, nil).Get("channels", 0, "capabilities")
	require.Equal(t, b.As("amy").Do(`{ channelTypes { `+all+` } }`, nil).Get("channelTypes", 0).String(), of.String())
}
