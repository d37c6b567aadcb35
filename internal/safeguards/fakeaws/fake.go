package fakeaws

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Options are the fake's settings; each zero is the default that is named.
type Options struct {
	Now     func() time.Time       // the clock: time.Now
	Delay   time.Duration          // how long creating, modifying, deleting and snapshots take: 5 min
	Rate    float64                // requests a second to one service of one account and region; no limit
	Burst   float64                // requests that may come at once: Rate
	PageMax int                    // a page's size at most: 100
	Fault   func(c Call) *Fault    // asked before each request
	Trace   func(c Call, e *Error) // told of each request and how it ended
}

// Call is a request that the fake got.
type Call struct {
	Account, Region, Service, Action string
	Resource                         string // the identifier or ARN that it names
	Writes                           bool   // it changes something
	At                               time.Time
}

// Fault is what goes wrong with a request.
type Fault struct {
	Error *Error // the reply, nil for a lost connection
	After bool   // the request has its effect nevertheless
}

// Error is an error as AWS replies it.
type Error struct {
	Status        int
	Code, Message string
}

// Throttled is AWS's answer to who asks too often.
func Throttled() *Error { return &Error{400, "Throttling", "Rate exceeded"} }

// Denied is AWS's answer to who may not.
func Denied() *Error {
	return &Error{403, "AccessDenied", "User is not authorized to perform this action."}
}

// Fake is a set of AWS accounts. Its methods may be called by any goroutine.
type Fake struct {
	o          Options
	services   map[string]*service
	operations map[string]func(*call) (any, *Error)

	mu      sync.Mutex
	regions map[string]*Region // by ACCOUNT/REGION
	keys    map[string]identity
	roles   map[string]string // what an account's roles want as external ID
	buckets map[string]*bucket
	calls   []Call
	issued  int
	most    map[string]float64 // requests in the busiest second of a bucket
}

// Home is the account of the fake's own credentials.
const Home = "111111111111"

// New makes a fake without any cache.
func New(o Options) *Fake {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Delay == 0 {
		o.Delay = 5 * time.Minute
	}
	if o.Burst == 0 {
		o.Burst = max(1, o.Rate)
	}
	if o.PageMax == 0 {
		o.PageMax = 100
	}
	f := &Fake{
		o: o, services: services(), operations: operations(), regions: map[string]*Region{}, keys: map[string]identity{},
		roles: map[string]string{}, buckets: map[string]*bucket{}, most: map[string]float64{},
	}
	f.keys[homeKey] = identity{account: Home, secret: homeSecret}
	return f
}

// Region is one region of one account; it is made when it is first named.
func (f *Fake) Region(account, name string) *Region {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.region(account, name)
}

func (f *Fake) region(account, name string) *Region {
	key := account + "/" + name
	r := f.regions[key]
	if r == nil {
		r = newRegion(f, account, name)
		f.regions[key] = r
	}
	return r
}

// RequireExternalID makes the roles of an account refuse who does not give the external ID.
func (f *Fake) RequireExternalID(account, id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.roles[account] = id
}

// SetFault replaces the function that is asked before each request.
func (f *Fake) SetFault(fault func(Call) *Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.o.Fault = fault
}

// Calls are the requests so far, in order.
func (f *Fake) Calls() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// Forget empties what Calls gives.
func (f *Fake) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = nil
}

// BusiestSecond is how many requests one service of one account and region had in its busiest second.
func (f *Fake) BusiestSecond() float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	busiest := 0.0
	for n := range maps.Values(f.most) {
		busiest = max(busiest, n)
	}
	return busiest
}

// bucket is a token bucket, and counts each second's requests.
type bucket struct {
	tokens float64
	last   time.Time
	second time.Time
	count  float64
}

// allow takes a token, if there is one.
func (f *Fake) allow(name string, now time.Time) bool {
	b := f.buckets[name]
	if b == nil {
		b = &bucket{tokens: f.o.Burst, last: now}
		f.buckets[name] = b
	}
	if s := now.Truncate(time.Second); !s.Equal(b.second) {
		b.second, b.count = s, 0
	}
	b.count++
	f.most[name] = max(f.most[name], b.count)
	if f.o.Rate == 0 {
		return true
	}
	b.tokens = min(f.o.Burst, b.tokens+f.o.Rate*now.Sub(b.last).Seconds())
	b.last = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

func notFound(what, id string) *Error {
	return &Error{404, what, fmt.Sprintf("%s was not found.", id)}
}
