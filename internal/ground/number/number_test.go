package number_test

import (
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"github.com/stretchr/testify/require"

	"parley/internal/ground/number"
)

// countries are numbers of each country: as a carrier hands them over at home, as
// people write them, and what is none there.
var countries = []struct {
	region, e164 string
	carrier      []string // besides the E.164 form
	person       []string // besides those of the carrier
	none         []string // from whomever
}{
	{
		"US", "+12025550178",
		[]string{"2025550178", "12025550178"},
		[]string{"(202) 555-0178", "1 202.555.0178", "202 555 01 78", "tel:+1-202-555-0178"},
		[]string{"68849", "5550123", "555-0176", "911", "202555ABCD", "247CABSLLC", "365CABS", "2025550178 (Axel)", "202-555-0178 x45", "+15550123"},
	},
	{"CA", "+16135550123", []string{"6135550123"}, []string{"613/555-0123"}, []string{"5550123", "123456"}},
	{
		"GB", "+447400123456",
		[]string{"07400123456", "447400123456", "7400123456"},
		[]string{"07400 123456", "+44 (0)7400 123456", "[07400] 123-456", "0044 7400 123456"},
		[]string{"60777", "118118", "900128", "999", "07400123ABC", "365Taxi", "+4460777", "07700900222", "74001234"},
	},
	{
		"DE", "+491701234567",
		[]string{"01701234567", "1701234567", "491701234567"},
		[]string{"0170/1234567", "0170 – 123 45 67", "+49 (0) 170 1234567"},
		[]string{
			"80888", "89888", "110", "0170 123 45 67 (Axel)", "0170 1234568 Mama", "2345678", "23456789", "+4980888", "+49110", "0170 1234567/8",
			"0800 1234567 Axel", "08001234567Axel",
		},
	},
	{"FR", "+33612345678", []string{"0612345678", "612345678"}, []string{"06.12.34.56.78", "06-12-34-56-78"}, []string{"36180", "17", "06 12 34 56 78 Léa", "12345678"}},
	{"IT", "+393123456789", []string{"3123456789"}, []string{"312 345 6789"}, []string{"48888", "892424", "112", "312 345 6789 Ugo"}},
	{"IT", "+390212345678", []string{"0212345678"}, []string{"02 1234 5678"}, []string{"02123ABCD"}},
	{"ES", "+34612345678", []string{"612345678"}, []string{"612 34 56 78"}, []string{"27060", "112", "612 345"}},
	{"AT", "+43664123456", []string{"0664123456", "664123456"}, []string{"0664/123456"}, []string{"5881234", "133", "0664 123456 Mitzi"}},
	{"CH", "+41781234567", []string{"0781234567", "781234567"}, []string{"078 123 45 67"}, []string{"963", "1234567", "117"}},
	{"NL", "+31612345678", []string{"0612345678"}, []string{"06-12345678"}, []string{"4422", "1234567", "112"}},
	{"SE", "+46701234567", []string{"0701234567"}, []string{"070-123 45 67"}, []string{"72456", "123456", "112"}},
	{"NO", "+4740612345", []string{"40612345"}, []string{"406 12 345"}, []string{"02800", "2440", "110"}},
	{"DK", "+4534412345", []string{"34412345"}, []string{"34 41 23 45"}, []string{"1231", "112", "344123"}},
	{"IE", "+353850123456", []string{"0850123456"}, []string{"085 012 3456"}, []string{"51444", "999", "0123456"}},
	{"PL", "+48512345678", []string{"512345678"}, []string{"512-345-678"}, []string{"7238", "112", "1234567"}},
	{
		"AU", "+61412345678",
		[]string{"0412345678", "412345678", "61412345678"},
		[]string{"0412 345 678"},
		[]string{"0499", "13 11 66", "131166", "131SHOP", "13CABS", "000", "9123 4567"},
	},
	{"NZ", "+64211234567", []string{"0211234567"}, []string{"021 123 4567"}, []string{"2424", "111", "1234567"}},
	{"BR", "+5511961234567", []string{"11961234567"}, []string{"(11) 96123-4567"}, []string{"28149", "190", "96123-4567"}},
	{"BR", "+551123456789", []string{"1123456789"}, []string{"(11) 2345-6789"}, []string{"2345-6789"}},
	{"MX", "+522221234567", []string{"2221234567"}, []string{"222 123 4567"}, []string{"30303", "911", "1234567"}},
	{"IN", "+918123456789", []string{"8123456789", "08123456789"}, []string{"81234 56789"}, []string{"56767", "112", "23456789"}},
	{"JP", "+819012345678", []string{"09012345678"}, []string{"０９０-１２３４-５６７８", "090\u30001234\u20105678"}, []string{"110", "1234-5678", "123456"}},
	{"SG", "+6581234567", []string{"81234567"}, []string{"8123 4567"}, []string{"79000", "999"}},
	{"ZA", "+27711234567", []string{"0711234567"}, []string{"071 123 4567"}, []string{"31022", "10111", "1234567"}},
}

func TestWhatIsANumberInEachCountry(t *testing.T) {
	t.Parallel()
	for _, c := range countries {
		want := number.Number{E164: c.e164, Country: c.region}
		is := func(text string, by number.Origin) {
			got, err := number.Read(text, c.region, by)
			require.NoError(t, err, "%s %q", c.region, text)
			require.Equal(t, want, got, "%s %q", c.region, text)
		}
		for _, text := range append(c.carrier, c.e164) {
			is(text, number.Carrier)
			is(text, number.Person)
		}
		for _, text := range c.person {
			is(text, number.Person)
		}
		for _, text := range c.none {
			for by := number.Carrier; by <= number.Person; by++ {
				got, err := number.Read(text, c.region, by)
				require.Error(t, err, "%s %q is %v", c.region, text, got)
				require.Zero(t, got)
			}
		}
	}
}

func TestHowACountryWritesANumber(t *testing.T) {
	t.Parallel()
	for e164, want := range map[string]string{"+12025550123": "(202) 555-0123", "+442079460018": "020 7946 0018", "SHOP": "", "": ""} {
		require.Equal(t, want, number.National(e164), e164)
	}
}

func TestWhyItIsNone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		region, text string
		want         number.Problem
	}{
		{"DE", "0170 123 45 67 (Axel)", number.Named},
		{"DE", "Axel 0170 1234567", number.Named},
		{"GB", "07400 123456 Ελένη", number.Named},
		{"US", "202555ABCD", number.Named},
		{"US", "1-800-356-9377 FLOWERS", number.Named},
		{"", "SUPPORT", number.Named},
		{"US", "202-555-0178 x45", number.Extended},
		{"US", "(202) 555-0178 ext. 45", number.Extended},
		{"US", "tel:+1-202-555-0178;ext=45", number.Extended},
		{"GB", "020 7946 0018 #4", number.Extended},
		{"US", "5550123", number.Short},
		{"US", "68849", number.Short},
		{"GB", "118118", number.Short},
		{"GB", "900128", number.Short},
		{"DE", "110", number.Short},
		{"DE", "2345 6789", number.Short},
		{"AU", "13 11 66", number.Short},
		{"", "02079460018", number.Nowhere},
		{"DE", "0170/1234567/8", number.Several},
		{"DE", "0170 1234567, 0171 1234567", number.Several},
		{"", "+12025550178+12025550179", number.Several},
		{"US", "+1 555 0123", number.Unlisted},
		{"GB", "+44 60777", number.Unlisted},
		{"GB", "07700 900222", number.Unlisted},
		{"US", "2025550178\n2025550179", number.Unlisted},
		{"US", "*67 2025550178", number.Misshapen},
		{"US", "", number.Misshapen},
		{"US", "+", number.Misshapen},
		{"US", "-4155552671", number.Misshapen},
		{"US", "+3550031966338", number.Unlisted},
		{"US", "+610026238419", number.Unlisted},
		{"US", " \u2212 415 555 2671", number.Misshapen},
		{"US", "\u2013415-555-2671", number.Misshapen},
		{"US", strings.Repeat("1", 1000), number.Unlisted},
	} {
		_, err := number.Read(c.text, c.region, number.Person)
		require.Equal(t, c.want, err, "%s %.40q", c.region, c.text)
	}
}

func TestANumberMayBeSpelt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ region, text, want string }{
		{"US", "1-800-FLOWERS", "+18003569377"},
		{"", "+1 800 FLOWERS", "+18003569377"},
		{"US", "1 (888) 555-MAMA", "+18885556262"},
		{"GB", "0800 FLOWERS", "+448003569377"},
		{"AU", "1300 FLOWER", "+611300356937"},
	} {
		n, err := number.Read(c.text, c.region, number.Person)
		require.NoError(t, err, c.text)
		require.Equal(t, c.want, n.E164, c.text)
		_, err = number.Read(number.Bare(c.text), c.region, number.Carrier)
		require.Equal(t, number.Sender, err, "a carrier's %q is a name", c.text)
	}
}

func TestMarksThatNobodySees(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"\u202a+12025550185\u202c", "\u200e+1 202\u00a0555 0185\u200f", "\ufeff+12025550185", "+1\u2060202\u200b5550185", "\u2068(202)\u2069 555\u20110185",
		"tel:+12025550185", "TEL:\u202a+12025550185", "+1\u00ad202\ufe0f5550185", "٢٠٢٥٥٥٠١٨٥", "+१२०२५५५०१८५", "＋１２０２５５５０１８５", "\t202\u2212555\u22120185\r\n",
	} {
		n, err := number.Read(text, "US", number.Person)
		require.NoError(t, err, "%q", text)
		require.Equal(t, "+12025550185", n.E164, "%q", text)
	}
	_, err := number.Read("\u202a+12025550185", "US", number.Carrier)
	require.Error(t, err, "a carrier's is kept as it came")
}

// A carrier's name is never a number, whatever it begins with.
func TestASendersNameIsNoNumber(t *testing.T) {
	t.Parallel()
	for _, region := range []string{"US", "GB", "DE", "AU", "DK", ""} {
		for _, name := range []string{
			"07700900ABC", "SUPPORT", "365Taxi", "1800FLOWERS", "+1202555ABCD", "+44 7400 123456", "2025550178x4", "202-555-0178", "Boots.UK", "1", "0", "+", "+0", "",
			"60777", "000000", "12345", "123456", "+1", "+999999999999",
		} {
			_, err := number.Read(name, region, number.Carrier)
			require.Error(t, err, "%s %q", region, name)
		}
	}
	_, err := number.Read("0033612345678", "DE", number.Carrier)
	require.Error(t, err, "digits alone are read at home")
	_, err = number.Read("447400123456", "US", number.Carrier)
	require.Error(t, err)
	n, err := number.Read(" 12025550178", "US", number.Carrier)
	require.NoError(t, err, "a + that was read as a blank")
	require.Equal(t, "+12025550178", n.E164)
}

func TestSendersInAFile(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"SUPPORT", "68849", "60777", "07700900ABC", "365Taxi", "My Bank", "O2", "118118", "A&B", "\u200eINFO\u200f "} {
		name, ok := number.SenderOf(text, "GB")
		require.True(t, ok, text)
		require.Equal(t, strings.Trim(text, "\u200e\u200f "), name)
	}
	for _, text := range []string{
		"", " ", "12", "5550123", "2025550178", "555-0123", "(202) 555", "+1 555", "a name that is long", "07400123456 Jo", "0740012345J", "Ελένη", "a'b", "+INFO",
	} {
		_, ok := number.SenderOf(text, "GB")
		require.Equal(t, text == "0740012345J", ok, text)
	}
	_, ok := number.SenderOf("2025550178J", "US")
	require.False(t, ok, "a number with a name behind it")
}

func TestRangesThatAreNotListed(t *testing.T) {
	t.Parallel()
	for text, country := range map[string]string{
		"+447700900222": "GB", "+447911654321": "GB", "+15555550123": "US", "+491641234567": "DE", "+4915200": "",
	} {
		n, err := number.Read(text, "", number.Carrier)
		require.Equal(t, country == "", err != nil, text)
		require.Equal(t, country, n.Country, text)
		require.Equal(t, country, number.Country(text))
	}
}

func TestWhatIsWithinACountry(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		country string
		in, out []string
	}{
		{
			"US",
			[]string{"+12025550178", "+17875551234", "+13405551234", "+16715551234", "+16845551234", "+16705551234", "+18005551234", "+15555550123"},
			[]string{"+16135550123", "+18765551234", "+447400123456", "+447911654321", "+447700900321", "+80012345678", "60777", ""},
		},
		{"PR", []string{"+12025550178", "+17875551234"}, []string{"+16135550123"}},
		{"CA", []string{"+16135550123", "+18005551234", "+15555550123"}, []string{"+12025550178", "+17875551234"}},
		{
			"GB",
			[]string{"+447400123456", "+447797712345", "+447911123456", "+447624123456", "+447700900321", "+448001234567"},
			[]string{"+353850123456", "+12025550178", "+35312345678"},
		},
		{"JE", []string{"+447797712345", "+447400123456"}, []string{"+33612345678"}},
		{"DE", []string{"+491701234567"}, []string{"+43664123456", "+4366412"}},
		{"NO", []string{"+4740612345"}, []string{"+4779123456"}},
	} {
		for _, e164 := range c.in {
			require.True(t, number.Within(e164, c.country), "%s %s", c.country, e164)
		}
		for _, e164 := range c.out {
			require.False(t, number.Within(e164, c.country), "%s %s", c.country, e164)
		}
	}
}

// What is read is a number in E.164 that reads as itself, by whomever.
func FuzzRead(f *testing.F) {
	for _, c := range countries {
		for _, text := range append(append(c.carrier, c.person...), c.none...) {
			f.Add(text, c.region)
		}
	}
	f.Fuzz(func(t *testing.T, text, region string) {
		for by := number.Carrier; by <= number.Person; by++ {
			n, err := number.Read(text, region, by)
			if err != nil {
				require.Zero(t, n)
				continue
			}
			again, err := number.Read(n.E164, "", number.Carrier)
			require.NoError(t, err, "%q is %q", text, n.E164)
			require.Equal(t, n, again)
			parsed, err := phonenumbers.Parse(n.E164, "")
			require.NoError(t, err)
			require.Equal(t, n.E164, phonenumbers.Format(parsed, phonenumbers.E164))
		}
	})
}
