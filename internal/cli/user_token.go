package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/secret"
)

func (u *userCommands) rotate() *cobra.Command {
	var tokenStdin, finish bool
	var expires string
	var overlap time.Duration
	cmd := &cobra.Command{
		Use:   "rotate NAME",
		Short: "Replace a user's token while the old one still works",
		Long: `Give a user a new token. The old one stays valid for the overlap, so that clients can change over one by one;
--finish ends it at once.`,
		Example: `  lethe user rotate billing
  lethe user rotate billing --overlap 2h --expires 90d
  lethe user rotate billing --finish`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if finish {
				if cmd.Flags().Changed("token-stdin") || cmd.Flags().Changed("overlap") || cmd.Flags().Changed("expires") {
					return fail(exitUsage, "run it twice: first the new token, then --finish", errors.New("--finish takes no other flag: it sets no token"))
				}
				return u.update(false, "ended the old token of "+args[0], func(d *identity.Draft) error { return d.Finish(args[0]) })
			}
			if overlap < 0 {
				return fail(exitUsage, "give a duration such as 24h, or 0s to end the old token at once", errors.New("the overlap is negative"))
			}
			token, err := u.token(tokenStdin)
			if err != nil {
				return err
			}
			expiresAt, err := parseExpiry(expires)
			if err != nil {
				return err
			}
			r := identity.Rotation{Token: token, ExpiresAt: expiresAt, Overlap: overlap}
			done := fmt.Sprintf("gave %s a new token; the old one ends in %s at the latest", args[0], overlap)
			return u.issue(false, tokenStdin, done, func(d *identity.Draft) (secret.Bytes, error) { return d.Rotate(args[0], r) })
		},
	}
	cmd.Flags().BoolVar(&tokenStdin, "token-stdin", false, "read the new token from standard input instead of generating one")
	cmd.Flags().DurationVar(&overlap, "overlap", 24*time.Hour, "how long the old token stays valid")
	cmd.Flags().StringVar(&expires, "expires", "", "when the new token ends: 90d, 12h, 2027-01-31 or an RFC 3339 time (default: never by itself)")
	cmd.Flags().BoolVar(&finish, "finish", false, "end the old token now")
	return cmd
}

// maxStdinBytes is more than any token, so that one that is too long is told so.
const maxStdinBytes = 4096

// token reads a token from standard input if asked to; a line end after it does not belong to it.
func (u *userCommands) token(fromStdin bool) (secret.Bytes, error) {
	if !fromStdin {
		return secret.Bytes{}, nil
	}
	data, err := io.ReadAll(io.LimitReader(u.env.stdin, maxStdinBytes))
	if err != nil {
		return secret.Bytes{}, fail(exitFailure, "", fmt.Errorf("cannot read the token from standard input: %w", err))
	}
	token := bytes.TrimSuffix(bytes.TrimSuffix(data, []byte("\n")), []byte("\r"))
	if err := identity.CheckToken(token); err != nil {
		clear(data)
		return secret.Bytes{}, userFailure(err)
	}
	return secret.New(token), nil
}

// parseExpiry reads a date, a time, or a time from now; the zero time for "".
func parseExpiry(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	if digits, ok := strings.CutSuffix(text, "d"); ok {
		if days, err := strconv.ParseUint(digits, 10, 16); err == nil && days > 0 {
			return time.Now().UTC().AddDate(0, 0, int(days)), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return time.Now().UTC().Add(d), nil
	}
	return time.Time{}, fail(exitUsage, "give 90d, 12h, 2027-01-31 or 2027-01-31T15:04:05Z", errors.New("--expires is neither a time to come nor a length of time"))
}
