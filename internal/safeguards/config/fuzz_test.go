package config_test

import (
	"errors"
	"testing"

	"github.com/lethe-cache/lethe/internal/safeguards/config"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// Whatever a file holds, it is read to an end and every fact is known or has a reason.
func FuzzRead(f *testing.F) {
	f.Add([]byte("port 0\ntls-port 6379\nuser a on >x ~* (+get ~b)\nsave \"\"\ninclude x\n"))
	f.Add([]byte("requirepass \"\\x41\\n\"\nmaxmemory 1gb\nsentinel auth-pass a b\n"))
	f.Add([]byte("user default reset +@all -@all nopass #a !a"))
	f.Fuzz(func(t *testing.T, src []byte) {
		file := config.File{Name: "redis.conf", Data: src, Mode: 0o640, Read: func(string) ([]byte, error) { return nil, errors.New("no such file") }}
		for _, read := range []func(config.File) (*model.Resource, []config.Problem){config.Read, config.ReadSentinel, config.ReadACL} {
			r, _ := read(file)
			for _, name := range r.Names() {
				if v := r.Reading(name); v.Value == nil && v.Why == "" {
					t.Errorf("%s is unknown without a reason", name)
				}
			}
		}
	})
}
