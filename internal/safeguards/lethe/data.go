package lethe

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// Data is a data directory.
type Data struct {
	Name string // as reports call it
	FS   fs.FS  // rooted in it
	// Disk says whether the disk under it is encrypted; nil with the reason where that cannot be known.
	Disk func() (encrypted *bool, why string)
}

// IsData says whether a directory of an FS is a data directory: nothing else has these two files together.
func IsData(fsys fs.FS, dir string) bool {
	for _, name := range []string{wrappingKey, "audit-sign.key"} {
		if info, err := fs.Stat(fsys, path.Join(dir, name)); err != nil || !info.Mode().IsRegular() {
			return false
		}
	}
	return true
}

const wrappingKey = "wrapping.key"

// ReadData reads a data directory.
func ReadData(d Data) (*model.Resource, []Problem) {
	r := model.NewResource(model.ID{Target: model.Lethe, Kind: model.LetheData, Name: d.Name}, model.Source{File: d.Name})
	model.Engine.Set(r, "lethe", model.Source{File: d.Name})
	model.Persistence.Set(r, true, model.Source{File: d.Name, Setting: wrappingKey})
	if encrypted, why := d.Disk(); encrypted != nil {
		model.DiskEncrypted.Set(r, *encrypted, model.Source{File: d.Name})
	} else {
		model.DiskEncrypted.SetUnknown(r, why, model.Source{File: d.Name})
	}
	d.modes(r)
	d.certificate(r)
	return r, d.users(r)
}

func (d *Data) called(name string) string { return path.Join(d.Name, name) }

// modes keeps the widest permissions of what only the server may read: keys, users, the directory itself.
func (d *Data) modes(r *model.Resource) {
	var widest fs.FileMode
	at := d.Name
	err := fs.WalkDir(d.FS, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name != "." && !strings.HasSuffix(name, ".key") && name != usersFile {
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		mode := info.Mode().Perm()
		if e.IsDir() {
			mode &= 0o666 // a directory has to be entered
		}
		if widest == 0 || mode&^0o600 > widest&^0o600 {
			widest, at = mode, d.called(name)
		}
		return nil
	})
	from := model.Source{File: at}
	if err != nil {
		model.ACLFileMode.SetUnknown(r, "the directory cannot be read: "+cause(err), from)
		return
	}
	model.ACLFileMode.Set(r, int64(widest), from)
	model.ACLFilePath.Set(r, d.called(usersFile), from)
	model.PubsubDefault.Set(r, "resetchannels", model.Source{File: d.Name, Setting: "channels", Default: true}) // a user hears its own tenants
}

// cause is the reason of a file error without its path.
func cause(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
