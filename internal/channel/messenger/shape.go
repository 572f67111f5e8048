package messenger

// The documents of the Send API, as far as components need them.
type (
	request struct {
		Recipient     recipient `json:"recipient"`
		MessagingType string    `json:"messaging_type"`
		Tag           string    `json:"tag,omitempty"` // of a MESSAGE_TAG
		Message       message   `json:"message"`
	}
	recipient struct {
		ID string `json:"id"`
	}
	message struct {
		Text         string       `json:"text,omitempty"`
		Attachment   *attachment  `json:"attachment,omitempty"`
		QuickReplies []quickReply `json:"quick_replies,omitempty"`
	}
	quickReply struct {
		ContentType string `json:"content_type"`
		Title       string `json:"title"`
		Payload     string `json:"payload"`
		ImageURL    string `json:"image_url,omitempty"`
	}
	attachment struct {
		Type    string   `json:"type"`
		Payload template `json:"payload"`
	}
	template struct {
		Type     string    `json:"template_type"`
		Text     string    `json:"text,omitempty"`
		Buttons  []button  `json:"buttons,omitempty"`
		Elements []element `json:"elements,omitempty"`
	}
	element struct {
		Title     string   `json:"title,omitempty"`
		Subtitle  string   `json:"subtitle,omitempty"`
		ImageURL  string   `json:"image_url,omitempty"`
		MediaType string   `json:"media_type,omitempty"`
		URL       string   `json:"url,omitempty"`
		Action    *button  `json:"default_action,omitempty"`
		Buttons   []button `json:"buttons,omitempty"`
	}
	button struct {
		Type    string `json:"type"`
		Title   string `json:"title,omitempty"`
		Payload string `json:"payload,omitempty"`
		URL     string `json:"url,omitempty"`
	}
)

// event is one of a webhook's "messaging": what a tap makes of it.
type event struct {
	Postback *postback `json:"postback,omitempty"`
	Message  *replied  `json:"message,omitempty"`
}

type postback struct {
	Title   string `json:"title"`
	Payload string `json:"payload"`
}

type replied struct {
	Text       string `json:"text"`
	QuickReply *reply `json:"quick_reply,omitempty"`
}

type reply struct {
	Payload string `json:"payload"`
}
