package upstream

// NewLooseAccounts returns accounts of a process that has no upstream.
func NewLooseAccounts() *Accounts { return newAccounts(newLedger()) }
