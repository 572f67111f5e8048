package channeltest

import "parley/internal/channel"

// Beyond is content that breaks one limit of the rule each, by the reason and, behind a
// space, the part that has it, where more than one does.
func Beyond(r channel.FormatRule) map[string]channel.Structured {
	full := func() channel.Structured { return Full(&r, r.MaxOptions) }
	beyond := map[string]channel.Structured{}
	add := func(reason channel.MisfitReason, applies bool, spoil func(*channel.Structured)) {
		if !applies {
			return
		}
		s := full()
		spoil(&s)
		beyond[string(reason)] = s
	}
	template := r.Format == channel.RegisteredTemplate
	add(channel.TextTooLong, true, func(s *channel.Structured) { *text(s) += "x" })
	add(channel.TextMissing, r.MaxOptions > 0 || r.Format == channel.PlainText, func(s *channel.Structured) { *text(s) = "" })
	linked, asked := isLink(&r), r.MaxOptions > 0
	add(channel.TemplateInvalid, template, func(s *channel.Structured) { s.Template.Name += "a" })
	add(channel.TemplateInvalid+" line", template, func(s *channel.Structured) { s.Template.Body[1].Text = "a\nb" })
	add(channel.TitleTooLong, template, func(s *channel.Structured) { s.Template.Header += "x" })
	add(channel.AddressTooLong+" suffix", template, func(s *channel.Structured) { *s = Full(&r, 0); s.Template.Suffix += "a" })
	add(channel.TitleTooLong, linked, func(s *channel.Structured) { s.Link.Title += "x" })
	add(channel.LinkMissing, linked, func(s *channel.Structured) { s.Link.Title = "" })
	add(channel.AddressTooLong, linked, func(s *channel.Structured) { s.Link.URL += "a" })
	add(channel.AddressInvalid, linked, func(s *channel.Structured) { s.Link.URL = "javascript:alert(1)" })
	add(channel.PopupNotShown, linked && !r.Popup, func(s *channel.Structured) { s.Link.Popup = true })
	add(channel.LabelTooLong, r.Label > 0, func(s *channel.Structured) { s.Label += "x" })
	add(channel.LabelMissing, r.Label > 0, func(s *channel.Structured) { s.Label = "" })
	add(channel.TooFewOptions, r.MinOptions > 0, func(s *channel.Structured) { s.Options = s.Options[:r.MinOptions-1] })
	add(channel.TooManyOptions, asked, func(s *channel.Structured) { *s = Full(&r, r.MaxOptions+1) })
	add(channel.OptionTooLong, asked, func(s *channel.Structured) { s.Options[0].Title += "x" })
	add(channel.OptionMissing, asked, func(s *channel.Structured) { s.Options[0].Title = "" })
	add(channel.TokenUnfit, asked, func(s *channel.Structured) { s.Options[0].Token = "" })
	add(channel.SubtitleTooLong, asked && r.OptionSubtitle > 0, func(s *channel.Structured) { s.Options[0].Subtitle += "x" })
	add(channel.OptionsAlike, r.DistinctTitles, func(s *channel.Structured) { s.Options[0].Title = s.Options[1].Title })
	add(channel.ImageMissing, r.RequiresImage && linked, func(s *channel.Structured) { s.Link.Image = nil })
	add(channel.ImageMissing, r.RequiresImage && asked, func(s *channel.Structured) { s.Options[0].Image = nil })
	for reason, address := range map[channel.MisfitReason]string{
		channel.AddressTooLong: address() + "a", channel.AddressInvalid: "javascript:alert(1)", channel.ImageNotPublic: "/i.png",
	} {
		add(reason+" image", r.Images, func(s *channel.Structured) { *image(s) = &channel.Image{URL: address} })
	}
	return beyond
}

// image is the image that a format shows first.
func image(s *channel.Structured) **channel.Image {
	switch {
	case s.Template != nil:
		return &s.Template.Image
	case s.Link != nil:
		return &s.Link.Image
	}
	return &s.Options[0].Image
}

// text is the text that a format bounds first.
func text(s *channel.Structured) *string {
	switch s.Format {
	case channel.PlainText:
		return &s.Plain
	case channel.RegisteredTemplate:
		return &s.Template.Body[0].Text
	}
	return &s.Text
}
