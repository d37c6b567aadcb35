package identity

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lethe-cache/lethe/internal/secret"
)

// FileName is the users file's name in the data directory.
const FileName = "users.yaml"

// Directory is the users of a users file, by name. What it answers comes from an immutable snapshot that is exchanged
// whole when the file changes. Safe for concurrent use.
type Directory struct {
	path string
	set  CommandSet
	opts options

	loading   sync.Mutex // one reload at a time
	now       atomic.Pointer[snapshot]
	slow      *slowGate
	elsewhere *providers
	grants    *Grants // nil: there are no emergencies
	confirmed bool    // grants count when a second person has confirmed them only

	hearAll atomic.Bool // SETUSER's new users have all channels
}

// options are what tests set.
type options struct {
	clock      func() time.Time
	iterations int // of new hashes of chosen tokens, and the least that a file may have
	checkers   int // slow checks at once
	leastToken int // bytes of a token that is set
}

// snapshot is one state of the file.
type snapshot struct {
	stamp         stamps
	generation    uint64
	until         time.Time // when a grant ends, and this state of things with it; zero: no time
	filed         []*User   // as the file has them, by name
	users         []*User   // the same, with emergencies
	byName        map[string]*User
	byCertificate map[string]*User
	grants        []Grant
	chosen        bool  // somebody has a token that is checked slowly
	fault         error // why the file as it is now cannot be used; the users are then the last good ones
	verified      *verifiedTokens
}

// stamps are the states of the files that a snapshot is made of.
type stamps struct{ users, grants stamp }

// stamp tells one state of the file from another without reading it. Writes of ours change the inode; those of an editor
// the size or a time. Mode and owner are in it, since a file that others can write to must stop being believed.
type stamp struct {
	exists           bool
	inode            uint64
	size             int64
	modified, status unix.Timespec
	mode, owner      uint32
}

// unknownStamp equals the stamp of no file.
func unknownStamp() stamp { return stamp{size: -1} }

// OpenDirectory reads the users file at path, which need not exist: then there are no users. A file that others can read or
// write, that is not ours, or that has a mistake (*FileError) is an error.
func OpenDirectory(path string, set CommandSet) (*Directory, error) {
	return openDirectory(path, set, options{clock: time.Now, iterations: slowIterations, checkers: defaultCheckers(), leastToken: minTokenBytes})
}

// NewUsersHearAll has ACL SETUSER begin with all channels where it makes a user or takes its rules away, as Redis's setting
// acl-pubsub-default has it. It is for servers without PHI that Redis's own tests run against.
func (d *Directory) NewUsersHearAll(on bool) { d.hearAll.Store(on) }

// AllowShortTokens has tokens of any length be set from here on. It is for servers without PHI that Redis's own tests run
// against, and comes before all other use of the directory.
func (d *Directory) AllowShortTokens() { d.opts.leastToken = 1 }

func openDirectory(path string, set CommandSet, opts options) (*Directory, error) {
	d := &Directory{path: path, set: set, opts: opts, slow: newSlowGate(opts.checkers), elsewhere: newProviders()}
	d.now.Store(&snapshot{})
	if _, err := d.Reload(); err != nil {
		return nil, err
	}
	return d, nil
}

// KeepEmergencies makes users with the role break-glass able to act while a grant of the file is open; with confirmed, once
// a second person has confirmed it. It must be called before the first login.
func (d *Directory) KeepEmergencies(f *Grants, confirmed bool) error {
	d.grants, d.confirmed = f, confirmed
	_, err := d.Reload()
	return err
}

// Emergencies returns the grants that the directory knows of, the oldest first. The slice is the caller's.
func (d *Directory) Emergencies() []Grant { return append([]Grant(nil), d.now.Load().grants...) }

// Path is the path of the users file.
func (d *Directory) Path() string { return d.path }

// Lookup finds a user by name. A file that has become unreadable does not change the answer; see Authenticate.
func (d *Directory) Lookup(name string) (*User, bool) {
	u, ok := d.now.Load().byName[name]
	return u, ok
}

// Users returns all users by name. The slice is the caller's, the users are shared.
func (d *Directory) Users() []*User {
	return append([]*User(nil), d.now.Load().users...)
}

// Generation grows by one whenever other users are in force. A connection that compares it with its user's own
// [User.Generation] learns with one atomic load whether to look the user up again. It grows when a change of the file is
// noticed: in Authenticate, and in Reload, which a server calls about every second for connections that are in already.
func (d *Directory) Generation() uint64 {
	return d.now.Load().generation + d.elsewhere.changes.Load()
}

// Reload looks whether the file has changed, with one system call, and reads it if so. When it cannot be used the last good
// users stay, the error is returned, now and until the file is mended, and Authenticate lets nobody in meanwhile.
func (d *Directory) Reload() (changed bool, err error) {
	before := d.now.Load().generation
	s := d.current()
	return s.generation != before, s.fault
}

// fresh returns the snapshot in force, and whether it is of the file as it is now.
func (d *Directory) fresh() (*snapshot, bool) {
	st, err := d.stamps()
	s := d.now.Load()
	return s, err == nil && s.holds(st, d.opts.clock())
}

// holds reports whether the snapshot is of files in this state, and its time is not over.
func (s *snapshot) holds(st stamps, now time.Time) bool {
	return s.generation > 0 && s.stamp == st && (s.until.IsZero() || now.Before(s.until))
}

func (d *Directory) stamps() (st stamps, err error) {
	if st.users, err = stampOf(d.path); err != nil || d.grants == nil {
		return st, err
	}
	st.grants, err = stampOf(d.grants.path)
	return st, err
}

// current returns the snapshot of the file as it is now.
func (d *Directory) current() *snapshot {
	if s, fresh := d.fresh(); fresh {
		return s
	}
	d.loading.Lock()
	defer d.loading.Unlock()
	// The stamp is taken before the file is read: a change in between shows the next time.
	st, err := d.stamps()
	s := d.now.Load()
	if err == nil && s.holds(st, d.opts.clock()) {
		return s
	}
	next := d.load(st, err, s)
	d.now.Store(next)
	return next
}

func (d *Directory) load(st stamps, statErr error, last *snapshot) *snapshot {
	users, err := d.read(st.users, statErr)
	if err != nil {
		broken := *last
		broken.stamp, broken.fault = st, err
		if fileErr := (*FileError)(nil); !errors.As(err, &fileErr) {
			// It could not be read; that may pass without a change of the file, so look again the next time.
			broken.stamp.users = unknownStamp()
		}
		return &broken
	}
	s := &snapshot{
		stamp: st, generation: last.generation + 1,
		filed: users, users: slices.Clone(users), byName: make(map[string]*User, len(users)), byCertificate: map[string]*User{}, verified: newVerifiedTokens(),
	}
	d.applyGrants(s)
	for _, u := range s.users {
		u.generation = s.generation
		s.byName[u.Name] = u
		for _, name := range u.Certificates {
			s.byCertificate[name] = u
		}
		for _, t := range u.tokens {
			s.chosen = s.chosen || t.verifier.iterations > 0
		}
	}
	return s
}

// applyGrants opens the open emergencies. A file of grants that cannot be read grants nothing: emergencies are fewer then,
// and nobody else is kept out.
func (d *Directory) applyGrants(s *snapshot) {
	if d.grants == nil {
		return
	}
	all, err := d.grants.List()
	if err != nil {
		return
	}
	s.grants = all
	now := d.opts.clock()
	for i, u := range s.users {
		g := grantFor(all, u.Name, now, d.confirmed)
		if g == nil || !u.HasRole(BreakGlass) {
			continue
		}
		if open, err := u.inEmergency(d.set, g); err == nil {
			s.users[i] = open
			s.until = earlier(s.until, g.EndsAt)
		}
	}
}

func (d *Directory) read(st stamp, statErr error) ([]*User, error) {
	if statErr != nil {
		return nil, fmt.Errorf("cannot read the users file %s: %w", d.path, statErr)
	}
	if !st.exists {
		return nil, nil
	}
	src, err := secret.ReadFile(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	users, mistakes := d.form().parse(src, d.set, d.opts.iterations)
	if len(mistakes) > 0 {
		return nil, &FileError{Path: d.path, Mistakes: mistakes}
	}
	return users, nil
}

func stampOf(path string) (stamp, error) {
	var st unix.Stat_t
	for {
		err := unix.Lstat(path, &st)
		switch {
		case err == nil:
			return stamp{
				exists: true, inode: uint64(st.Ino), size: st.Size, modified: st.Mtim, status: st.Ctim,
				mode: uint32(st.Mode), owner: st.Uid,
			}, nil
		case errors.Is(err, fs.ErrNotExist):
			return stamp{}, nil
		case !errors.Is(err, unix.EINTR):
			return unknownStamp(), err
		}
	}
}
