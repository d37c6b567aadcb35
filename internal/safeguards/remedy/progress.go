package remedy

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
)

// State is how far an entry is. The zero value is an entry that was not begun.
type State struct {
	Step  int       `json:"step"`            // of the action's steps, the one to do
	Begun bool      `json:"begun,omitempty"` // a call for it may have been made
	At    time.Time `json:"at"`              // when the state was reached
	Name  string    `json:"name,omitempty"`  // of this entry's snapshot
	// Config is the configuration that the last step left; nil is that of the plan.
	Config awsapi.Config `json:"config,omitempty"`
	Done   bool          `json:"done,omitempty"` // all steps are
}

// Progress keeps the states of entries. When Save returns nil, the state survives the end of the process.
type Progress interface {
	Load(entry string) (State, error)
	Save(entry string, s State) error
}

// ProgressFile is Progress in a file of JSON lines, of which the last one of an entry counts. One process at a time uses it;
// its methods may be called by any goroutine.
type ProgressFile struct {
	mu     sync.Mutex
	file   *os.File
	states map[string]State
}

type progressLine struct {
	Entry string `json:"entry"`
	State State  `json:"state"`
}

const maxProgressBytes = 256 << 20

// OpenProgress opens the file or makes it. A last line without an end is what a killed process left: its step was begun at
// most, which the line before says.
func OpenProgress(path string) (*ProgressFile, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the progress: %w", err)
	}
	p := &ProgressFile{file: f, states: map[string]State{}}
	if err := p.read(); err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot open the progress: %w", err)
	}
	return p, nil
}

func (p *ProgressFile) read() error {
	src, err := io.ReadAll(io.LimitReader(p.file, maxProgressBytes))
	if err != nil {
		return err
	}
	whole := src[:bytes.LastIndexByte(src, '\n')+1]
	lines := bufio.NewScanner(bytes.NewReader(whole))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l progressLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil || l.Entry == "" {
			return errors.New("a line is damaged")
		}
		p.states[l.Entry] = l.State
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if err := p.file.Truncate(int64(len(whole))); err != nil {
		return err
	}
	_, err = p.file.Seek(int64(len(whole)), io.SeekStart)
	return err
}

// Load gives an entry's state.
func (p *ProgressFile) Load(entry string) (State, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.states[entry], nil
}

// Save writes an entry's state to the disk.
func (p *ProgressFile) Save(entry string, s State) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	src, err := json.Marshal(progressLine{entry, s})
	if err == nil {
		_, err = p.file.Write(append(src, '\n'))
	}
	if err == nil {
		err = p.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("cannot save the progress: %w", err)
	}
	p.states[entry] = s
	return nil
}

// Close lets go of the file.
func (p *ProgressFile) Close() error { return p.file.Close() }
