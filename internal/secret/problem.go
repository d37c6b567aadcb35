package secret

import "errors"

// Problem is an error with what to do about it. The hint names files and modes, never their contents.
type Problem struct {
	err  error
	hint string
}

func problem(hint string, err error) error { return &Problem{err: err, hint: hint} }

func (p *Problem) Error() string { return p.err.Error() }
func (p *Problem) Unwrap() error { return p.err }

// Hint is one sentence that tells the user how to mend it.
func (p *Problem) Hint() string { return p.hint }

// Hint returns the outermost hint that err carries, of this package or of another that has errors with a Hint method, or "".
func Hint(err error) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	return ""
}
