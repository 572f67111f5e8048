package channel

// Demonstrator is a Provider with an account in the demo data.
type Demonstrator interface {
	// DemoAccount is that account. Its secrets are public and protect nothing.
	DemoAccount() DemoAccount
	// Pretended says why nothing that is sent from an account reaches a phone, as
	// what follows "The account"; empty for an account that reaches customers.
	Pretended(a Account) string
}

// DemoAccount is a provider account as demo data has it.
type DemoAccount struct {
	Key, Name string
	Stored
}
