package script

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// Functions holds the function libraries of one tenant. It is safe for concurrent use.
type Functions struct {
	engine *Engine
	limit  int

	mu        sync.RWMutex
	libraries map[string]*Library
	functions map[string]*Function // by name in lower case, as Redis finds them
	bytes     int                  // of source
}

// DefaultFunctionBytes is how much source a tenant's libraries may have.
const DefaultFunctionBytes = 8 << 20

// NewFunctions returns an empty set of libraries whose source takes at most limit bytes.
func (e *Engine) NewFunctions(limit int) *Functions {
	return &Functions{engine: e, limit: limit, libraries: map[string]*Library{}, functions: map[string]*Function{}}
}

// Load adds a library and returns its name; with replace it may take the place of the one with its name. The error is an
// [Error] for the client. code is copied.
func (s *Functions) Load(code []byte, replace bool) (name string, err error) {
	l, err := s.engine.NewLibrary(code)
	if err != nil {
		return "", err
	}
	return l.Name, s.join([]*Library{l}, replace, "Library '", "' already exists")
}

// join adds libraries, all or none. The texts stand around the name of a library that is there already.
func (s *Functions) join(added []*Library, replace bool, before, after string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := &Functions{engine: s.engine, limit: s.limit, bytes: s.bytes, libraries: maps.Clone(s.libraries), functions: maps.Clone(s.functions)}
	for _, l := range added {
		if old := next.libraries[l.Name]; old != nil {
			if !replace {
				return Error("ERR " + before + l.Name + after)
			}
			next.remove(old)
		}
	}
	for _, l := range added {
		if err := next.add(l); err != nil {
			return err
		}
	}
	s.libraries, s.functions, s.bytes = next.libraries, next.functions, next.bytes
	return nil
}

func (s *Functions) add(l *Library) error {
	for _, f := range l.Functions {
		if s.functions[strings.ToLower(f.Name)] != nil {
			return Error("ERR Function " + f.Name + " already exists")
		}
		s.functions[strings.ToLower(f.Name)] = f
	}
	s.libraries[l.Name] = l
	if s.bytes += len(l.Code); s.bytes > s.limit {
		return Error("QUOTA the function libraries of this tenant take too much memory")
	}
	return nil
}

func (s *Functions) remove(l *Library) {
	delete(s.libraries, l.Name)
	for _, f := range l.Functions {
		delete(s.functions, strings.ToLower(f.Name))
	}
	s.bytes -= len(l.Code)
}

// Delete removes a library; false when there is none with the name.
func (s *Functions) Delete(name []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.libraries[string(name)]
	if l != nil {
		s.remove(l)
	}
	return l != nil
}

// Flush removes all libraries.
func (s *Functions) Flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.libraries)
	clear(s.functions)
	s.bytes = 0
}

// Find returns the function with a name, nil when there is none. No copy of the name is left: a client may send anything as one.
func (s *Functions) Find(name []byte) *Function {
	var short [64]byte
	lower := append(short[:0], name...)
	defer clear(lower)
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' { // names are of ASCII letters, digits and underscores
			lower[i] = c | 0x20
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.functions[string(lower)]
}

// Libraries are all libraries, by name.
func (s *Functions) Libraries() []*Library {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []*Library
	for _, name := range slices.Sorted(maps.Keys(s.libraries)) {
		all = append(all, s.libraries[name])
	}
	return all
}

// Count is how many libraries and functions there are.
func (s *Functions) Count() (libraries, functions int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.libraries), len(s.functions)
}
