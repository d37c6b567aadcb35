package cli

import (
	"encoding/csv"
	"errors"
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// write prints a review in one of its forms.
func (a *accessCommands) write(form string, r *accessReview) error {
	switch form {
	case "json":
		return a.printJSON(r)
	case "csv":
		return a.writeCSV(r)
	case "html":
		page, err := template.New("review").Funcs(template.FuncMap{"stamp": stamp, "stampOr": stampOr, "join": strings.Join}).Parse(reviewPage)
		if err != nil {
			return err
		}
		return page.Execute(a.env.stdout, r)
	case "table":
		return a.writeTable(r)
	default:
		return fail(exitUsage, "give --format table, csv, json or html", errors.New("there is no such format"))
	}
}

func (a *accessCommands) writeTable(r *accessReview) error {
	fmt.Fprintln(a.env.stdout, r.summary())
	w := tabwriter.NewWriter(a.env.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tSTATE\tOWNER\tROLES\tTENANTS\tCOMMANDS\tLAST USED\tFINDINGS")
	for _, u := range r.Users {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", u.Name, u.state(), orDash(u.Owner), orDash(u.Attributes["roles"]), strings.Join(u.Tenants, ","),
			u.Commands, stampOr(u.LastUsed, "-"), orDash(strings.Join(u.Findings, "; ")))
	}
	return w.Flush()
}

func (a *accessCommands) writeCSV(r *accessReview) error {
	w := csv.NewWriter(a.env.stdout)
	rows := [][]string{{"name", "state", "owner", "roles", "tenants", "rules", "commands", "dangerous", "unused_rights", "tokens", "first_token_end", "certificates", "last_used", "findings"}}
	for _, u := range r.Users {
		rows = append(rows, []string{
			u.Name, u.state(), u.Owner, u.Attributes["roles"], strings.Join(u.Tenants, " "), u.Rules, strconv.Itoa(u.Commands),
			strings.Join(u.Dangerous, " "), strings.Join(u.Unused, " "), strconv.Itoa(len(u.Tokens)), stampOr(u.firstEnd(), ""),
			strings.Join(u.Certificates, " "), stampOr(u.LastUsed, ""), strings.Join(u.Findings, "; "),
		})
	}
	for _, row := range rows {
		for i := range row {
			row[i] = inert(row[i])
		}
	}
	return w.WriteAll(rows)
}

// inert keeps a spreadsheet from taking a text for a formula.
func inert(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

func (u *accessUser) state() string {
	if u.Provider != "" {
		return "by " + u.Provider
	}
	if u.Enabled {
		return "enabled"
	}
	return "disabled"
}

// State is state for the page.
func (u accessUser) State() string { return u.state() }

func (u *accessUser) firstEnd() (first *time.Time) {
	for _, t := range u.Tokens {
		if t.Expires != nil && (first == nil || t.Expires.Before(*first)) {
			first = t.Expires
		}
	}
	return first
}

// reviewPage is one file that needs nothing else, so that it can be kept.
const reviewPage = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Lethe access review</title>
<style>body{font:14px/1.4 system-ui,sans-serif;margin:2em}table{border-collapse:collapse}th,td{border:1px solid #bbb;padding:.3em .6em;text-align:left;vertical-align:top}
th{background:#eee}code{font-size:12px;overflow-wrap:anywhere}ul{margin:0;padding-left:1.2em}</style></head><body>
<h1>Access review</h1>
<p>Made {{stamp .MadeAt}}. {{len .Users}} identities. Digest <code>{{.Digest}}</code>.</p>
<table><thead><tr><th>Name</th><th>State</th><th>Owner</th><th>Tenants</th><th>Conditions</th><th>Rules</th><th>Tokens</th><th>Last used</th><th>Findings</th></tr></thead><tbody>
{{range .Users}}<tr><td>{{.Name}}</td><td>{{.State}}</td><td>{{.Owner}}</td><td>{{join .Tenants ", "}}</td>
<td>{{range $name, $value := .Attributes}}{{$name}}: {{$value}}<br>{{end}}</td>
<td><code>{{.Rules}}</code><br>{{.Commands}} commands{{if .Dangerous}}, dangerous: {{join .Dangerous ", "}}{{end}}{{if .Unused}}; unused: {{join .Unused ", "}}{{end}}</td>
<td>{{range .Tokens}}{{if .Generated}}generated{{else}}chosen{{end}} {{stamp .Created}}, ends {{stampOr .Expires "-"}}<br>{{end}}</td>
<td>{{stampOr .LastUsed "-"}}</td><td><ul>{{range .Findings}}<li>{{.}}</li>{{end}}</ul></td></tr>
{{end}}</tbody></table></body></html>
`
