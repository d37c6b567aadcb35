package live

import (
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/config"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// users sets who may get in and what they may do. That a PING without a login is refused says more than any setting.
func users(r *model.Resource, w *Wire, a *Answers) {
	at := from("PING without a login")
	answer := w.Secure
	if !w.offers() {
		answer = w.Plain
	}
	switch {
	case strings.HasPrefix(answer, "+"):
		model.AuthRequired.Set(r, false, at)
	case strings.HasPrefix(answer, "-NOAUTH"):
		model.AuthRequired.Set(r, true, at)
	case answer == "" && w.offers() && w.CertAsked:
		model.AuthRequired.Set(r, true, from("TLS handshake")) // no certificate, no answer
	case !w.Reached:
		model.AuthRequired.SetUnknown(r, w.Why, at)
	default:
		model.AuthRequired.SetUnknown(r, "the server answers neither PONG nor NOAUTH", at)
	}
	if path, ok := a.Config["aclfile"]; ok {
		model.ACLFilePath.Set(r, path, from("CONFIG GET aclfile"))
	} else {
		model.ACLFilePath.SetUnknown(r, a.configWhy(), from("CONFIG GET aclfile"))
	}
	model.RenamedCommands.Set(r, a.Hidden, from("COMMAND INFO"))
	if a.Users == nil {
		model.Users.SetUnknown(r, a.reason("ACL LIST"), from("ACL LIST"))
		return
	}
	all := make([]model.AuthUser, 0, len(a.Users))
	for _, line := range a.Users {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "user" {
			model.Users.SetUnknown(r, "ACL LIST has a line that is not understood", from("ACL LIST"))
			return
		}
		u := config.ParseUser(words[1], strings.Join(words[2:], " "))
		if may, ok := a.MayRun[u.Name]; ok {
			u.Dangerous, u.WhyUnknown = may, ""
		}
		u.Dangerous = switchedOff(u.Dangerous, a.Config)
		all = append(all, u)
	}
	model.Users.Set(r, all, from("ACL LIST"))
}

// switchedOff takes out DEBUG and MODULE where the server refuses them to everybody.
func switchedOff(names []string, settings map[string]string) []string {
	var left []string
	for _, n := range names {
		off := n == "DEBUG" && settings["enable-debug-command"] == "no" || n == "MODULE" && settings["enable-module-command"] == "no"
		if !off {
			left = append(left, n)
		}
	}
	return left
}
