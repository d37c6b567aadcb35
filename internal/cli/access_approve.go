package cli

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/secret"
)

// approval is the record that somebody has reviewed access and found it right. It is signed with a key of the data
// directory over its own JSON without the signature. The form is stable: fields are only ever added.
type approval struct {
	Digest     string    `json:"digest"` // of the review
	Identities int       `json:"identities"`
	Findings   int       `json:"identities_with_findings"`
	Reviewer   string    `json:"reviewer"` // the user whose token was shown
	Operator   string    `json:"operator"` // the operating system's user who ran the command
	ApprovedAt time.Time `json:"approved_at"`
	Note       string    `json:"note,omitempty"`
	PublicKey  string    `json:"public_key"` // Ed25519, base64
	Signature  string    `json:"signature,omitempty"`
}

const (
	approvalKey     = "access-review-sign"
	approvalHeading = "lethe access review 1\n" // what is signed begins with it, so that it can be taken for nothing else
	maxApproval     = 64 << 10
)

// signed is what the signature is over.
func (p approval) signed() ([]byte, error) {
	p.Signature = ""
	text, err := json.Marshal(p)
	return append([]byte(approvalHeading), text...), err
}

func reviewSigner(dir *secret.Dir) (ed25519.PrivateKey, error) {
	seed, err := dir.Key(approvalKey, func() ([]byte, error) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		return key.Seed(), nil
	})
	if err != nil {
		return nil, err
	}
	defer seed.Clear()
	return ed25519.NewKeyFromSeed(seed.Reveal()), nil
}

func (a *accessCommands) approve() *cobra.Command {
	var digest, as, note string
	cmd := &cobra.Command{
		Use: "approve --digest DIGEST --as NAME", Short: "Sign a record that a reviewer has approved a review",
		Long: `Sign the approval of the review that has this digest. It is refused when access has changed since that review was made.
The reviewer is a user with the role auditor or privacy-officer, whose token is read from standard input. The signed record
goes to standard output: keep it where it cannot be changed.`,
		Example: `  printf %s "$TOKEN" | lethe access approve --digest 3f1c... --as jane --note "Q1" > review-2026-Q1.json`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			token, err := a.token(true)
			if err != nil {
				return err
			}
			defer token.Clear()
			r, err := a.gather(time.Now().UTC().Truncate(time.Second))
			if err != nil {
				return err
			}
			if r.Digest != digest {
				return fail(exitFailure, "make a new review with `lethe access review`", errors.New("cannot approve: access has changed since that review, or the digest is not one"))
			}
			users, err := a.open(false)
			if err != nil {
				return err
			}
			u, err := users.Authenticate(as, token.Reveal())
			if err != nil || u.Rights()&(identity.RightAudit|identity.RightConfirm) == 0 {
				return fail(exitFailure, "give the name and token of a user with the role auditor or privacy-officer", errors.New("cannot approve: "+identity.ErrDenied.Error()+", or its role may not"))
			}
			p := approval{Digest: digest, Identities: len(r.Users), Findings: r.countFindings(), Reviewer: u.Name, Operator: operator(), ApprovedAt: r.MadeAt, Note: note}
			return a.sign(p)
		},
	}
	cmd.Flags().StringVar(&digest, "digest", "", "the digest of the review")
	cmd.Flags().StringVar(&as, "as", "", "the user who has reviewed")
	cmd.Flags().StringVar(&note, "note", "", "what the record should say beside")
	_ = cmd.MarkFlagRequired("digest")
	_ = cmd.MarkFlagRequired("as")
	return cmd
}

func (a *accessCommands) sign(p approval) error {
	key, err := reviewSigner(a.opened)
	if err != nil {
		return userFailure(err)
	}
	defer clear(key)
	p.PublicKey = base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
	text, err := p.signed()
	if err != nil {
		return err
	}
	p.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(key, text))
	return a.printJSON(p)
}

func (a *accessCommands) verify() *cobra.Command {
	var publicKey string
	cmd := &cobra.Command{
		Use: "verify FILE", Short: "Verify the signed record of an approved review",
		Long: "Verify a record that `lethe access approve` has printed, with the data directory's own key, or with --public-key where\n" +
			"there is no data directory. FILE may be - for standard input.",
		Example: "  lethe access verify review-2026-Q1.json\n  lethe access verify - --public-key BASE64 < review.json", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := a.readApproval(args[0])
			if err != nil {
				return fail(exitFailure, "give a file that `lethe access approve` has printed", err)
			}
			key, err := a.verifyingKey(publicKey)
			if err != nil {
				return err
			}
			signature, err := base64.StdEncoding.DecodeString(p.Signature)
			text, textErr := p.signed()
			if err != nil || textErr != nil || !ed25519.Verify(key, text, signature) {
				return fail(exitFailure, "", errors.New("the record was changed, or is signed with another key"))
			}
			_, err = fmt.Fprintf(a.env.stdout, "ok: %s approved the review %s of %d identities (%d with findings) at %s\n", p.Reviewer, p.Digest, p.Identities, p.Findings, stamp(p.ApprovedAt))
			return err
		},
	}
	cmd.Flags().StringVar(&publicKey, "public-key", "", "the public key, base64, kept from an earlier record")
	return cmd
}

// verifyingKey is never the key in the record itself: whoever forges a record brings a key along.
func (a *accessCommands) verifyingKey(given string) (ed25519.PublicKey, error) {
	if given != "" {
		key, err := base64.StdEncoding.DecodeString(given)
		if err != nil || len(key) != ed25519.PublicKeySize {
			return nil, fail(exitUsage, "give the public_key of a record that you trust", errors.New("the public key is not one"))
		}
		return key, nil
	}
	if _, err := a.open(false); err != nil {
		return nil, err
	}
	key, err := reviewSigner(a.opened)
	if err != nil {
		return nil, userFailure(err)
	}
	defer clear(key)
	return ed25519.PublicKey(append([]byte(nil), key.Public().(ed25519.PublicKey)...)), nil
}

func (a *accessCommands) readApproval(name string) (p approval, err error) {
	in := a.env.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return p, fmt.Errorf("cannot read the record: %w", err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxApproval))
	if err != nil {
		return p, fmt.Errorf("cannot read the record: %w", err)
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return p, errors.New("cannot read the record: it is no JSON of the right form")
	}
	return p, nil
}
