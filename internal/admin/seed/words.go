package seed

// The words that the data is made of. Names are common ones joined at random;
// whoever bears such a pair is not meant.

var firstNames = []string{
	"Alice", "Ben", "Carla", "David", "Emma", "Farid", "Grace", "Henry", "Irene", "Jonas", "Karen", "Luis", "Maya", "Noah",
	"Olga", "Paul", "Quinn", "Rosa", "Samir", "Tara", "Umar", "Vera", "Walter", "Xenia", "Yusuf", "Zoe", "Andre", "Bianca",
	"Cyril", "Dana", "Elias", "Fiona", "Gustav", "Hanna", "Ivan", "Julia", "Kofi", "Lena", "Marco", "Nadia", "Oscar", "Petra",
	"Ravi", "Sofia", "Tomas", "Ulla", "Victor", "Wanda", "Aisha", "Boris", "Chloe", "Diego", "Esther", "Felix", "Gina", "Hugo",
	"Ines", "Jakob", "Kira", "Leo", "Mina", "Nils", "Paula", "Simon",
}

var lastNames = []string{
	"Abbott", "Barnes", "Castro", "Dalton", "Ellis", "Fischer", "Garner", "Hughes", "Iverson", "Jensen", "Keller", "Larsen",
	"Mercer", "Nolan", "Ortega", "Parker", "Quist", "Ramos", "Sutton", "Turner", "Ulrich", "Vargas", "Weaver", "Young",
	"Zimmer", "Archer", "Bishop", "Cooper", "Duarte", "Emery", "Foster", "Graves", "Holland", "Ingram", "Jordan", "Kaplan",
	"Lowell", "Morgan", "Nash", "Okafor", "Pruitt", "Reyes", "Shaw", "Tanaka", "Underhill", "Vogel", "Walsh", "Yates",
	"Acker", "Beck", "Conrad", "Dreyer", "Engel", "Ferris", "Gallo", "Hart", "Imhof", "Joyce", "Kramer", "Lindt",
	"Moran", "Norris", "Olsen", "Porter",
}

// areaCodes are some of the United States. 202 is left out: the demo's sender
// IDs and the customer of the examples live there.
var areaCodes = []string{
	"205", "206", "208", "212", "213", "214", "216", "303", "304", "305", "307", "312", "313", "314", "316", "402", "404", "405",
	"406", "407", "410", "412", "414", "415", "501", "502", "503", "504", "505", "508", "512", "513", "515", "517", "601", "602",
	"603", "605", "606", "608", "612", "615", "617", "619", "701", "702", "703", "704", "712", "713", "716", "717", "719", "801",
	"802", "803", "804", "805", "808", "812", "813", "901", "904", "907",
}

// A topic is what a conversation is about. In its lines {order}, {day}, {time},
// {amount} and {item} are filled in the same way throughout a conversation.
type topic struct {
	title    string
	openers  []string // by the customer
	starts   []string // by the business
	answers  []string // by an agent
	replies  []string // by the customer
	internal []string // notes
}

var topics = []topic{
	{
		title: "delivery",
		openers: []string{
			"Hi, any news on order {order}? It was due {day}.", "Hello! Where is my {item}? The tracking page has not moved since {day}.",
			"The driver left a card but nobody rang. Order {order}.", "Can order {order} go to my office instead?",
		},
		starts: []string{
			"Your order {order} leaves our warehouse on {day}. Reply here if the time does not suit you.",
			"Hello, this is about your {item}: we can deliver on {day} at {time}. Is somebody home?",
		},
		answers: []string{
			"Let me look that up, one moment.", "It is on the van now and should be with you by {time}.",
			"Sorry about that. I have asked the depot to try again on {day}.", "Done: the new address is on the label.",
			"The parcel is at the depot. You can collect it from {time} with an ID.", "I will text you as soon as it has been scanned.",
		},
		replies: []string{
			"Great, thank you!", "{day} works for me.", "Could it be after {time}?", "OK, I will wait.", "Please leave it with the neighbour.",
			"It just arrived 👍", "Still nothing here…", "Perfect.",
		},
		internal: []string{"Depot says the van was full; second attempt on {day}.", "Customer prefers evenings."},
	},
	{
		title: "appointment",
		openers: []string{
			"Hi, I need to move my appointment on {day}.", "Do you have anything free on {day} around {time}?",
			"I am running ten minutes late, is that all right?", "Can I book a visit for {day}?",
		},
		starts: []string{
			"A reminder of your appointment on {day} at {time}. Reply YES to confirm.",
			"A slot has opened on {day} at {time}. Would you like to come earlier?",
		},
		answers: []string{
			"{day} at {time} is free. Shall I book it?", "No problem, we will wait for you.", "All set for {day}, {time}.",
			"I am afraid {day} is full. How about a day later?", "Please bring the papers from your last visit.",
			"Our technician will call half an hour before.",
		},
		replies: []string{
			"Yes please.", "YES", "That is perfect, see you then.", "Hmm, a bit later would be better.", "Is there parking?",
			"Thanks for moving it!", "Sorry, something came up. Can we do next week?", "Got it.",
		},
		internal: []string{"Moved twice already; please confirm by phone.", "Needs the ground-floor room."},
	},
	{
		title: "invoice",
		openers: []string{
			"My invoice says {amount} but we agreed on less.", "Can you send invoice {order} again, please?",
			"Was I charged twice? I see {amount} two times.", "How can I pay {amount} in two parts?",
		},
		starts: []string{
			"Invoice {order} over {amount} is due on {day}. Reply here with any question.",
			"We could not collect {amount} for invoice {order}. Has your card changed?",
		},
		answers: []string{
			"I see it. The second charge is a hold and goes away by {day}.", "I have sent it to the address we have on file.",
			"You are right, I have corrected it. The new total is {amount}.", "Two parts are fine: one now, one on {day}.",
			"Thank you, the payment has come in.", "May I ask which card you used?",
		},
		replies: []string{
			"Thanks, that explains it.", "Received, thank you.", "I will pay on {day}.", "The one ending in 4.", "That was quick!",
			"I still think it is wrong.", "Please call me about it.", "👌",
		},
		internal: []string{"Refund of {amount} approved by finance.", "Second reminder went out on {day}."},
	},
	{
		title: "offer",
		openers: []string{
			"Is the {item} still available?", "Hello, could I get a quote for a {item}?", "Do you ship the {item} to Alaska?",
			"What does the {item} cost with installation?",
		},
		starts: []string{
			"Thanks for stopping by! The {item} you looked at is back in stock.",
			"Your quote {order} over {amount} is ready. It holds until {day}.",
		},
		answers: []string{
			"Yes, we have three left.", "With installation it comes to {amount}.", "I can hold it for you until {day}.",
			"Shipping takes about a week.", "There is a two-year warranty on it.", "Shall I send you the papers to sign?",
		},
		replies: []string{
			"Sounds good, please hold one.", "Let me sleep on it.", "Can you do a little better on the price?", "Deal!",
			"Does it come in blue?", "My partner wants to see it first. {day}?", "No thanks, too much for me.", "When could you install it?",
		},
		internal: []string{"Ten per cent is the most we can give.", "Also asked about the {item} last spring."},
	},
	{
		title: "return",
		openers: []string{
			"The {item} arrived broken. What now?", "I would like to send back the {item} from order {order}.",
			"The {item} makes a strange noise since {day}.", "Wrong colour! I ordered the grey {item}.",
		},
		starts: []string{
			"Your return for order {order} has arrived. You will have {amount} back by {day}.",
			"We have a replacement for your {item}. May we bring it on {day}?",
		},
		answers: []string{
			"I am sorry to hear that. Could you describe the damage?", "A label is on its way to you; no need to pay.",
			"We will swap it on {day}, {time}.", "The refund of {amount} has been issued.", "Please keep the box if you still have it.",
			"Did it work after a restart?",
		},
		replies: []string{
			"The corner is bent and it does not close.", "Thanks for sorting it out.", "Box is gone, is that a problem?",
			"Label received.", "Money is back, thank you!", "No change, I am afraid.", "A swap would be best.", "OK 🙂",
		},
		internal: []string{"Third broken {item} from this batch.", "Offer a replacement first, refund second."},
	},
}

var items = []string{"desk lamp", "bookshelf", "coffee grinder", "garden bench", "office chair", "heat pump", "road bike", "washing machine", "window blind", "sofa", "dishwasher", "tent"}

var days = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}

var hours = []string{"8:30", "9:00", "10:15", "11:00", "noon", "1:30", "2:45", "4:00", "5:30"}

// teamNames name the sender IDs of the teams that come with size.
var teamNames = []string{
	"Boston", "Denver", "Seattle", "Austin", "Chicago", "Phoenix", "Atlanta", "Portland", "Omaha", "Tampa", "Detroit", "Raleigh",
	"Tulsa", "Fresno", "Mobile", "Tucson", "Dayton", "Helena", "Juneau", "Laredo", "Newark", "Norfolk", "Oakland", "Reno", "Salem",
}
