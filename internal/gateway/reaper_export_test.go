package gateway

import "time"

// Rest is how long the reaper would rest now.
func (r *Reaper) Rest() time.Duration { return r.rest() }
