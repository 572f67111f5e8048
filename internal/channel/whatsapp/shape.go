package whatsapp

// The documents of the Cloud API, as far as components need them.
type (
	request struct {
		Product       string       `json:"messaging_product"`
		RecipientType string       `json:"recipient_type"`
		To            string       `json:"to"`
		Type          string       `json:"type"`
		Text          *body        `json:"text,omitempty"`
		Interactive   *interactive `json:"interactive,omitempty"`
		Template      *template    `json:"template,omitempty"`
	}
	body struct {
		Body string `json:"body"`
	}
	interactive struct {
		Type   string  `json:"type"`
		Header *header `json:"header,omitempty"`
		Body   text    `json:"body"`
		Action action  `json:"action"`
	}
	header struct {
		Type  string `json:"type"`
		Image media  `json:"image"`
	}
	media struct {
		Link string `json:"link"`
	}
	text struct {
		Text string `json:"text"`
	}
	action struct {
		Buttons    []button       `json:"buttons,omitempty"`
		Button     string         `json:"button,omitempty"`
		Sections   []section      `json:"sections,omitempty"`
		Name       string         `json:"name,omitempty"`
		Parameters *ctaParameters `json:"parameters,omitempty"`
	}
	button struct {
		Type  string `json:"type"`
		Reply reply  `json:"reply"`
	}
	section struct {
		Rows []reply `json:"rows"`
	}
	ctaParameters struct {
		DisplayText string `json:"display_text"`
		URL         string `json:"url"`
	}
	// reply is a button or a row, and comes back when it is tapped.
	reply struct {
		ID          string `json:"id"`
		Title       string `json:"title"`
		Description string `json:"description,omitempty"`
	}
)

// The documents of a registered template.
type (
	template struct {
		Name       string      `json:"name"`
		Language   language    `json:"language"`
		Components []component `json:"components,omitempty"`
	}
	language struct {
		Policy string `json:"policy"`
		Code   string `json:"code"`
	}
	component struct {
		Type       string      `json:"type"`
		SubType    string      `json:"sub_type,omitempty"`
		Index      string      `json:"index,omitempty"`
		Parameters []parameter `json:"parameters"`
	}
	parameter struct {
		Type    string `json:"type"`
		Name    string `json:"parameter_name,omitempty"`
		Text    string `json:"text,omitempty"`
		Payload string `json:"payload,omitempty"`
		Image   *media `json:"image,omitempty"`
	}
)

func (t *template) add(c component) { t.Components = append(t.Components, c) }

// event is one of a webhook's "messages": what a tap makes of it.
type event struct {
	Type        string          `json:"type"`
	Interactive *interactiveTap `json:"interactive,omitempty"`
	Button      *templateTap    `json:"button,omitempty"`
}

type interactiveTap struct {
	Type        string `json:"type"`
	ButtonReply *reply `json:"button_reply,omitempty"`
	ListReply   *reply `json:"list_reply,omitempty"`
}

// templateTap is the tap on a quick reply button of a template.
type templateTap struct {
	Payload string `json:"payload"`
	Text    string `json:"text"`
}
