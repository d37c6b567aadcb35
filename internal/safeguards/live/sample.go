package live

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// Keys is what a sample of keys found.
type Keys struct {
	TTLs   model.TTLSample
	Names  model.NameSample
	Values *model.ValueSample // nil: not asked for
}

const (
	maxMarks  = 10
	batch     = 100 // keys of one SCAN, at most
	fastReply = 500 * time.Microsecond
)

// sampler takes one sample. A server walks its keys in the order of their hashes, which has nothing to do with their
// names or ages, so what the first part of a walk finds is a random sample of all keys.
type sampler struct {
	c       Asker
	plan    Sample
	macKey  [32]byte // forgotten with the sampler: marks tell names apart within one report only
	count   int      // keys to ask for at once
	keys    Keys
	bad     int64
	ceiling int64 // milliseconds
}

// sampleKeys walks a part of the keys, no faster than the plan allows and with breaks between: a server runs one command
// at a time, so what disturbs others is the length of a single call, not the number of calls.
func sampleKeys(ctx context.Context, c Asker, plan Sample, info map[string]string) (*Keys, error) {
	s := &sampler{c: c, plan: plan, count: batch, ceiling: 300_000}
	if plan.Ceiling > 0 {
		s.ceiling = plan.Ceiling.Milliseconds()
	}
	if plan.Values {
		s.keys.Values = &model.ValueSample{}
	}
	if _, err := rand.Read(s.macKey[:]); err != nil {
		return nil, errors.New("there is no randomness to hash key names with")
	}
	s.keys.TTLs.CeilingMillis, s.keys.TTLs.Keys = s.ceiling, keysOf(info)
	s.keys.Names.Hits = make(map[string]int64)
	if err := s.walk(ctx); err != nil {
		return nil, err
	}
	s.keys.TTLs.Low, s.keys.TTLs.High = wilson(s.bad, s.keys.TTLs.PHI)
	return &s.keys, nil
}

// keysOf adds up the keys of all databases. The walk is of database 0, the one that nearly everybody uses.
func keysOf(info map[string]string) int64 {
	text, _, _ := strings.Cut(strings.TrimPrefix(info["db0"], "keys="), ",")
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

func (s *sampler) walk(ctx context.Context) error {
	rate, longest := s.plan.PerSecond, s.plan.Longest
	if rate <= 0 {
		rate = 2000
	}
	if longest <= 0 {
		longest = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	pace := time.NewTimer(0)
	defer pace.Stop()
	for cursor := "0"; ; {
		select {
		case <-ctx.Done():
			return nil // what was found until now is a sample too
		case <-pace.C:
		}
		next, seen, err := s.step(cursor)
		if err != nil {
			return err
		}
		if next == "0" || s.keys.TTLs.Sampled >= int64(s.plan.Keys) {
			if next == "0" { // all were seen, whatever INFO said before
				s.keys.TTLs.Keys = s.keys.TTLs.Sampled
			}
			return nil
		}
		cursor = next
		pace.Reset(time.Duration(seen) * time.Second / time.Duration(rate))
	}
}

// step takes one SCAN and asks for the times to live of what looks like PHI in it.
func (s *sampler) step(cursor string) (next string, seen int, err error) {
	begin := time.Now()
	replies, err := s.c.Ask(words("SCAN", cursor, "COUNT", strconv.Itoa(s.count)))
	if err != nil {
		return "", 0, err
	}
	// A slow answer is a long call, or a busy server: both ask for less. COUNT is halved, and grows back slowly.
	if time.Since(begin) > fastReply {
		s.count = max(10, s.count/2)
	} else {
		s.count = min(batch, s.count+10)
	}
	v := replies[0]
	if v.IsError() || len(v.Elems) != 2 {
		return "", 0, errors.New("the login may not run SCAN")
	}
	keys := v.Elems[1].Elems
	defer forget(keys)
	if err := s.look(keys); err != nil {
		return "", 0, err
	}
	return string(v.Elems[0].Str), max(len(keys), 1), nil
}

func forget(keys []resp.Value) {
	for _, k := range keys {
		clear(k.Str)
	}
}

// look judges names, and asks about those that look like PHI.
func (s *sampler) look(keys []resp.Value) error {
	s.keys.TTLs.Sampled += int64(len(keys))
	s.keys.Names.Sampled += int64(len(keys))
	var phi [][]byte
	for _, k := range keys {
		if kind := identifier(k.Str); kind != "" {
			s.keys.Names.Hits[kind]++
			s.keys.Names.Marks = s.mark(s.keys.Names.Marks, k.Str)
		}
		if LooksLikePHI(k.Str) {
			phi = append(phi, k.Str)
		}
	}
	if len(phi) == 0 {
		return nil
	}
	commands := make([][][]byte, len(phi))
	for i, k := range phi {
		commands[i] = [][]byte{[]byte("PTTL"), k}
	}
	replies, err := s.c.Ask(commands...)
	if err != nil {
		return err
	}
	for i, v := range replies {
		s.ttl(v, phi[i])
	}
	if s.keys.Values != nil {
		return s.values(phi)
	}
	return nil
}

func (s *sampler) ttl(v resp.Value, key []byte) {
	if v.Type != ':' || v.Int == -2 {
		return // gone since, or refused
	}
	s.keys.TTLs.PHI++
	switch {
	case v.Int == -1:
		s.keys.TTLs.NoTTL++
	case v.Int > s.ceiling:
		s.keys.TTLs.TooLong++
	default:
		return
	}
	s.bad++
	s.keys.TTLs.Marks = s.mark(s.keys.TTLs.Marks, key)
}

func (s *sampler) mark(marks []string, key []byte) []string {
	if len(marks) >= maxMarks {
		return marks
	}
	h := hmac.New(sha256.New, s.macKey[:])
	h.Write(key)
	return append(marks, hex.EncodeToString(h.Sum(nil)[:6]))
}

// values looks at the first bytes of strings; other types answer with an error and are left out.
func (s *sampler) values(keys [][]byte) error {
	const most = 256
	commands := make([][][]byte, len(keys))
	for i, k := range keys {
		commands[i] = [][]byte{[]byte("GETRANGE"), k, []byte("0"), []byte(strconv.Itoa(most - 1))}
	}
	replies, err := s.c.Ask(commands...)
	if err != nil {
		return err
	}
	for _, v := range replies {
		if v.Type == '$' && len(v.Str) >= 64 {
			s.keys.Values.Sampled++
			if looksSealed(v.Str) {
				s.keys.Values.Sealed++
			}
		}
		clear(v.Str)
	}
	return nil
}

// wilson is the interval of Wilson's score with 95% confidence for bad out of n; of nothing it is everything.
func wilson(bad, n int64) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	const z = 1.959964
	p, size := float64(bad)/float64(n), float64(n)
	middle := p + z*z/(2*size)
	half := z * math.Sqrt(p*(1-p)/size+z*z/(4*size*size))
	scale := 1 + z*z/size
	return max(0, (middle-half)/scale), min(1, (middle+half)/scale)
}

// looksSealed says whether bytes look encrypted: they have the mark of a known envelope, or no structure that shows. A
// compressed value looks the same; it is at least not readable as it stands.
func looksSealed(v []byte) bool {
	for _, mark := range []string{"vault:v", "age-encryption.org/", "AQICA", "gAAAAA", "eyJhbGciOiJkaXI", "eyJhbGciOiJSU0Et"} {
		if bytes.HasPrefix(v, []byte(mark)) {
			return true
		}
	}
	var counts [256]int
	coded := true // only characters of Base64
	for _, c := range v {
		counts[c]++
		letter := c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || bytes.IndexByte([]byte("+/=-_"), c) >= 0
		coded = coded && letter
	}
	entropy := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(v))
			entropy -= p * math.Log2(p)
		}
	}
	// Of n random bytes log2(n) bits at most can show. Text in a natural language, JSON and XML stay below 5.2.
	if coded {
		return entropy > 0.92*math.Min(6, math.Log2(float64(len(v))))
	}
	return entropy > 0.86*math.Min(8, math.Log2(float64(len(v)))) && entropy > 5.6
}

// contents sets what the sample found.
func contents(r *model.Resource, a *Answers) {
	at := from("SCAN")
	if a.Keys == nil {
		why := a.KeysWhy
		if why == "" {
			why = a.reason("SCAN")
		}
		for _, f := range []model.AnyFact{model.TTLs, model.KeyNames, model.SealedValues} {
			f.SetUnknown(r, why, at)
		}
		return
	}
	model.TTLs.Set(r, a.Keys.TTLs, at)
	model.KeyNames.Set(r, a.Keys.Names, at)
	if a.Keys.Values != nil {
		model.SealedValues.Set(r, *a.Keys.Values, from("GETRANGE"))
	} else {
		model.SealedValues.SetUnknown(r, "values are looked at only when asked for", from("GETRANGE"))
	}
}
