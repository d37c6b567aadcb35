package gateway

import "github.com/lethe-cache/lethe/internal/command"

// Server is what the gateway asks of the listeners and connections around it.
type Server interface {
	// Sessions calls f for every open connection until it says stop.
	Sessions(f func(*Session) bool)
	// Connections counts the open connections.
	Connections() int
}

// CommandTable is the command table.
func (g *Gateway) CommandTable() *command.Table { return g.Table }

// Clients describes the connections that a caller may know of: those of users who reach no tenant beyond the caller's.
func (g *Gateway) Clients(caller command.Conn) []command.ClientInfo {
	var all []command.ClientInfo
	g.Server.Sessions(func(s *Session) bool {
		if s.visibleTo(caller) {
			all = append(all, s.About())
		}
		return true
	})
	return all
}

// visibleTo reports whether every tenant of the session's user is one of the caller's. It runs in the caller's goroutine,
// so it looks the user up by the name that the session shows.
func (s *Session) visibleTo(caller command.Conn) bool {
	if s.about.id == caller.ID() {
		return true
	}
	user, ok := s.g.Directory.Lookup(s.about.get().User)
	if !ok {
		return false
	}
	reached := map[string]bool{}
	for _, id := range caller.Tenants() {
		reached[s.g.tenantName(id)] = true
	}
	for _, t := range user.Tenants {
		if !reached[t] {
			return false
		}
	}
	return true
}
