package secret

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
)

var keyName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)

// Key returns the named secret of the data directory, from the file NAME.key, sealed under the wrapping key. On first use
// generate makes it; among processes that ask at the same moment one generates and all return the same. The name is
// lower-case letters, digits and hyphens. The caller owns the result.
func (d *Dir) Key(name string, generate func() ([]byte, error)) (Bytes, error) {
	if !keyName.MatchString(name) || name+sealedSuffix == wrappingKeyFile {
		return Bytes{}, fmt.Errorf("cannot keep a key named %q: the name is not lower-case letters, digits and hyphens, or is taken", name)
	}
	unlock, err := d.lock()
	if err != nil {
		return Bytes{}, err
	}
	defer unlock()
	return d.keyLocked(name, generate)
}

// keyLocked is Key for a caller that has the directory's lock.
func (d *Dir) keyLocked(name string, generate func() ([]byte, error)) (Bytes, error) {
	key, err := d.storedKey(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	plain, err := generate()
	if err != nil {
		return Bytes{}, fmt.Errorf("cannot generate the key %s: %w", name, err)
	}
	if err := d.storeKey(name, plain); err != nil {
		return Bytes{}, err
	}
	return New(plain), nil
}

// storedKey reads and opens NAME.key; fs.ErrNotExist when there is none.
func (d *Dir) storedKey(name string) (Bytes, error) {
	path := d.File(name + sealedSuffix)
	sealed, err := ReadFile(path)
	if err != nil {
		return Bytes{}, err
	}
	key, err := d.Open(purposeOf(name), sealed)
	if err != nil {
		return Bytes{}, problem("restore it from a backup made together with "+wrappingKeyFile, fmt.Errorf("cannot use %s: %w", path, err))
	}
	return key, nil
}

func (d *Dir) storeKey(name string, plain []byte) error {
	sealed, err := d.Seal(purposeOf(name), plain)
	if err != nil {
		return err
	}
	return WriteFile(d.File(name+sealedSuffix), sealed)
}

func purposeOf(name string) string { return "key:" + name }
