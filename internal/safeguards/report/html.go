package report

import (
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// page is one file without scripts and without anything from elsewhere, so that it can be kept as evidence.
const page = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Safeguards: {{.Counts.Fail}} failed</title>
<style>
:root{color-scheme:light dark;--line:#8884}
body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.05rem;margin:2rem 0 .5rem;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}td,th{border-top:1px solid var(--line);padding:.4rem .6rem;text-align:left;vertical-align:top}
code{overflow-wrap:anywhere}.FAIL{color:#c22;font-weight:600}.WARN,.UNKNOWN{color:#a60;font-weight:600}.PASS{color:#170}
small{opacity:.75}dl{display:flex;flex-wrap:wrap;gap:.5rem 2rem}dt{font-size:.8rem;opacity:.75}dd{margin:0;font-size:1.4rem}
</style>
</head>
<body>
<h1>Safeguards</h1>
<p>Profile {{.Profile}}, {{.At}}, Lethe {{.Version}}. {{if not .Complete}}<strong class="FAIL">The scan is not complete.</strong>{{end}}</p>
<dl>
<div><dt>resources</dt><dd>{{.Resources}}</dd></div><div><dt>failed</dt><dd>{{.Counts.Fail}}</dd></div>
<div><dt>warnings</dt><dd>{{.Counts.Warn}}</dd></div><div><dt>unknown</dt><dd>{{.Counts.Unknown}}</dd></div>
<div><dt>passed</dt><dd>{{.Counts.Pass}}</dd></div><div><dt>excluded</dt><dd>{{.Counts.Excluded}}</dd></div>
<div><dt>in the baseline</dt><dd>{{.Counts.Baselined}}</dd></div>
</dl>
{{range .Notes}}<p><strong>Not read:</strong> {{.}}</p>
{{end}}{{range .Groups}}<h2>{{.Name}}</h2>
<table>
<thead><tr><th>result</th><th>rule</th><th>severity</th><th>what was found</th><th>how to mend it</th></tr></thead>
<tbody>
{{range .Findings}}<tr><td class="{{.Result}}">{{.Result}}{{if .Baselined}} <small>baseline</small>{{end}}</td><td>{{.Rule}}<br><small>{{.Title}}</small></td><td>{{.Severity}}</td><td>{{.Summary}}<br><small>{{.Place}}{{if .Citations}}<br>45 CFR {{.Citations}}{{end}}</small></td><td>{{.Mend}}</td></tr>
{{end}}</tbody>
</table>
{{end}}</body>
</html>
`

type htmlGroup struct {
	Name     string
	Findings []htmlFinding
}

type htmlFinding struct {
	Result, Rule, Title, Severity, Summary, Place, Citations, Mend string
	Baselined                                                      bool
}

func writeHTML(w io.Writer, r *Report) error {
	t, err := template.New("page").Parse(page)
	if err != nil {
		panic("BUG: the page is not a template: " + err.Error())
	}
	data := struct {
		Profile, At, Version string
		Complete             bool
		Resources            int
		Counts               Counts
		Notes                []string
		Groups               []htmlGroup
	}{r.Profile, r.At.UTC().Format(time.RFC3339), r.Version, r.Result.Complete(), len(r.Result.Resources), r.Counts(), nil, nil}
	for _, n := range r.Result.Notes {
		if n.Incomplete {
			data.Notes = append(data.Notes, clean(strings.TrimPrefix(n.Source.Place()+": "+n.Text, ": ")))
		}
	}
	var last model.ID
	for i := range r.Result.Findings {
		f := &r.Result.Findings[i]
		if len(data.Groups) == 0 || f.Resource != last {
			data.Groups = append(data.Groups, htmlGroup{Name: clean(f.Resource.String())})
			last = f.Resource
		}
		g := &data.Groups[len(data.Groups)-1]
		g.Findings = append(g.Findings, htmlFinding{
			f.Result.String(), f.Rule, r.title(f.Rule), f.Severity.String(), clean(f.Summary), clean(f.Source.String()),
			strings.Join(f.Citations, ", "), clean(f.Mend), f.Baselined,
		})
	}
	return t.Execute(w, data)
}
