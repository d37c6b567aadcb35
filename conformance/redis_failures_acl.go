package conformance

import "strings"

// userFailures lists the tests of Redis's units about users that Lethe does not pass, as redisFailures does of the others.
func userFailures() []redisFailure {
	var all []redisFailure
	add := func(skip bool, why, tests string) {
		for line := range strings.Lines(tests) {
			if unit, test, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
				all = append(all, redisFailure{unit, test, why, skip})
			}
		}
	}
	add(false, "There is no access without a credential (G4): no server without a password, no nopass, no user that cannot be taken away.", `
		unit/auth: AUTH fails if there is no password configured server side
		unit/acl: Validate subset of channels is prefixed with resetchannels flag
	`)
	add(true, "There is no access without a credential (G4), so no user is special: it removes the one that the suite is.", `
		unit/acl: Default user can not be removed
	`)
	add(false, "A token is printable, and kept as a salted hash that is shown to nobody (G4): Redis's hashes without salt are refused.", `
		unit/auth: AUTH succeeds when binary password is correct
		unit/acl: Test password hashes can be added
		unit/acl: Test hashed passwords removal
		unit/acl: ACL GETUSER returns the password hash instead of the actual password
	`)
	add(false, "Keys and channels are in no log (G9): ACL LOG tells the command in their place.", `
		unit/acl: ACL LOG is able to log keys access violations and key name
		unit/acl: ACL LOG is able to log channel access violations and channel name
		unit/acl-v2: Test ACL log correctly identifies the relevant item when selectors are used
	`)
	add(false, "Data is kept apart by tenants and not by a number that any client may choose (G4): there is one database, where the test finds the key of another.", `
		unit/acl: ACLs can block all DEBUG subcommands except one
	`)
	add(false, "SORT's BY and GET ask for the permission of each key that they read, as any command does (G4), so that who may read v1 is given it. Redis asks for the permission of all keys that there are instead.", `
		unit/acl-v2: Test sort with ACL permissions
	`)
	add(false, "No guarantee, and Redis 7.4 itself does not pass them: ACL LOAD ends the connections of users who were changed or are gone. 7.0 ends those of all users but default, so that every application connects anew because one user has changed; the tests wait for their own to end.", `
		unit/acl: ACL load and save
		unit/acl: ACL load and save with restricted channels
	`)
	add(false, "They write the file or the settings of a server that the suite has started itself, which is not external: of Lethe's file, internal/identity's TestACLFileMistakes shows it.", `
		unit/acl: Test loading an ACL file with duplicate users
		unit/acl: Test loading an ACL file with duplicate default user
		unit/acl: ACL from config file and config rewrite
	`)
	add(false, "A user's removal must outlive a crash (G10): the users' file is the truth, it is always there, and has nothing left to save.", `
		unit/acl: ACL load non-existing configured ACL file
	`)
	add(false, "Values leave Lethe sealed or not at all (G5): there is no replication.", `
		unit/auth: MASTERAUTH test with binary password
	`)
	return all
}
