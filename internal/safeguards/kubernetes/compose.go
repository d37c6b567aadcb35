package kubernetes

import (
	"path"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/config"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/yamltree"
)

// IsCompose says whether a document is a docker-compose file.
func IsCompose(doc *yamltree.Node) bool {
	services := doc.At("services")
	if services == nil || services.Kind != yamltree.Map || Is(doc) {
		return false
	}
	for _, k := range services.Keys {
		if s := services.Fields[k]; s.At("image") != nil || s.At("build") != nil || s.At("extends") != nil {
			return true
		}
	}
	return false
}

// ReadCompose makes resources of a compose file. read is for mounted configuration files, relative to the file's directory.
func ReadCompose(name string, doc *yamltree.Node, read config.ReadFile) ([]*model.Resource, []config.Problem) {
	var resources []*model.Resource
	var problems []config.Problem
	if n := doc.At("include"); n != nil {
		problems = append(problems, config.Problem{Source: model.Source{File: name, Line: n.Line}, Text: "include is not followed; the files that it names are read by themselves"})
	}
	services := doc.At("services")
	for _, k := range services.MapKeys() {
		n := services.Fields[k]
		c := composeContainer(name, doc, n, read)
		if !c.isCache() {
			continue
		}
		at := c.at
		at.Setting = ""
		r := model.NewResource(model.ID{Target: model.Compose, Kind: model.Server, Name: name + ":" + k}, at)
		problems = append(problems, c.facts(r)...)
		composePublished(r, n, at)
		composeLabels(r, n, at)
		resources = append(resources, r)
	}
	return resources, problems
}

func composeContainer(name string, doc, n *yamltree.Node, read config.ReadFile) *container {
	at := model.Source{File: name, Line: n.Line, Column: n.Column, Setting: "image"}
	c := &container{image: parseImage(interpolated(n.At("image").String())), command: commandOf(n.At("entrypoint")), args: commandOf(n.At("command")), at: at}
	c.env = composeEnvironment(name, n, read)
	for i, a := range c.args {
		c.args[i] = c.interpolate(a)
	}
	c.file = func(target string) ([]byte, string, bool) { return composeFile(name, doc, n, target, read) }
	return c
}

// commandOf reads a command, which is a list or a line of a shell.
func commandOf(n *yamltree.Node) []string {
	if n.IsNull() {
		return nil
	}
	if n.Kind == yamltree.Scalar {
		return shellWords(n.String())
	}
	return texts(n)
}

// interpolated fills in defaults: ${TAG:-7.2} is 7.2. What has none stays as it is.
func interpolated(s string) string {
	for range 10 {
		start := strings.Index(s, "${")
		if start < 0 {
			return s
		}
		end := strings.IndexByte(s[start:], '}')
		if end < 0 {
			return s
		}
		_, standard, found := strings.Cut(s[start+2:start+end], "-")
		if !found {
			return s
		}
		s = s[:start] + standard + s[start+end+1:]
	}
	return s
}

// interpolate turns Compose's own variables of a word into ones of the container, which expand understands.
func (c *container) interpolate(word string) string {
	word = strings.ReplaceAll(word, "$$", "\x02") // $$ is a $ for the container's shell
	word = interpolated(word)
	for range 10 {
		start, end, name := findVariable(word)
		if name == "" {
			break
		}
		v := composeVariable(name, c.at)
		name, _, _ = strings.Cut(name, ":")
		name = strings.TrimSuffix(name, "?")
		key := "\x03" + name
		c.env[key] = v
		word = word[:start] + "\x02{" + key + "}" + word[end:]
	}
	return strings.ReplaceAll(word, "\x02", "$")
}

// composeVariable: ${NAME:?why} must be set and not be empty, ${NAME} may be.
func composeVariable(name string, at model.Source) variable {
	if strings.Contains(name, ":?") {
		return variable{origin: "parameter", at: at}
	}
	plain, _, _ := strings.Cut(name, "?")
	return variable{why: "the variable " + plain + " of the environment may be empty", at: at}
}

func composeEnvironment(name string, n *yamltree.Node, read config.ReadFile) map[string]variable {
	env := make(map[string]variable)
	put := func(key, text string, at model.Source) {
		text = interpolated(text)
		if _, _, inner := findVariable(text); inner != "" && !strings.HasPrefix(text, "$$") {
			v := composeVariable(inner, at)
			env[key] = v
			return
		}
		env[key] = variable{text: strings.ReplaceAll(text, "$$", "$"), at: at}
	}
	files := texts(n.At("env_file"))
	if one := n.At("env_file").String(); one != "" {
		files = []string{one}
	}
	for _, f := range files {
		src, err := read(path.Join(path.Dir(name), f))
		if err != nil {
			continue // its variables stay unknown
		}
		for i, line := range strings.Split(string(src), "\n") {
			if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(key, "#") {
				put(key, strings.Trim(value, `"'`), model.Source{File: path.Join(path.Dir(name), f), Line: i + 1})
			}
		}
	}
	e := n.At("environment")
	for _, item := range e.List() {
		if key, value, ok := strings.Cut(item.String(), "="); ok {
			put(key, value, model.Source{File: name, Line: item.Line})
		} else {
			env[key] = variable{why: "it is taken from the environment", at: model.Source{File: name, Line: item.Line}}
		}
	}
	for _, key := range e.MapKeys() {
		put(key, e.Fields[key].String(), model.Source{File: name, Line: e.Fields[key].Line})
	}
	return env
}

// composeFile finds a file of the container among volumes, configs and secrets.
func composeFile(name string, doc, n *yamltree.Node, target string, read config.ReadFile) ([]byte, string, bool) {
	source := ""
	for _, v := range n.At("volumes").List() {
		from, to := v.At("source").String(), v.At("target").String()
		if v.Kind == yamltree.Scalar {
			parts := strings.Split(v.String(), ":")
			if len(parts) < 2 {
				continue
			}
			from, to = parts[0], parts[1]
		}
		if rest, inside := strings.CutPrefix(target, to); inside && (rest == "" || rest[0] == '/') && from != "" {
			source = from + rest
		}
	}
	for _, kind := range []string{"configs", "secrets"} {
		for _, c := range n.At(kind).List() {
			id, to := c.String(), ""
			if c.Kind == yamltree.Map {
				id, to = c.At("source").String(), c.At("target").String()
			}
			if to == target || (to == "" && target == "/run/secrets/"+id) || (to == "" && target == "/"+id) {
				source = doc.At(kind, id, "file").String()
				if content := doc.At(kind, id, "content"); content != nil {
					return []byte(content.String()), name, true
				}
			}
		}
	}
	if source == "" || !strings.HasPrefix(source, ".") && !strings.HasPrefix(source, "/") || strings.Contains(source, "$") {
		return nil, "", false
	}
	if !path.IsAbs(source) {
		source = path.Join(path.Dir(name), source)
	}
	src, err := read(source)
	return src, source, err == nil
}

// composePublished: a port without an address is published on all of them.
func composePublished(r *model.Resource, n *yamltree.Node, at model.Source) {
	at.Setting = "ports"
	out := []string{}
	if n.At("network_mode").String() == "host" {
		out = append(out, "the service is in the host's network")
	}
	for _, p := range n.At("ports").List() {
		text := interpolated(p.String())
		address, inside := "", false
		if p.Kind == yamltree.Map {
			address, inside = p.At("host_ip").String(), p.At("published").IsNull()
			text = p.At("published").String()
		} else if parts := strings.Split(text, ":"); len(parts) == 3 || strings.HasPrefix(text, "[") {
			address = parts[0]
		}
		if strings.Contains(address, "$") {
			model.Published.SetUnknown(r, "the address of a port is filled in later", model.Source{File: at.File, Line: p.Line, Setting: "ports"})
			return
		}
		if !inside && address != "127.0.0.1" && address != "localhost" && !strings.HasPrefix(text, "[::1]") {
			out = append(out, "port "+text+" of the host")
			at.Line = p.Line
		}
	}
	model.Published.Set(r, out, at)
}

func composeLabels(r *model.Resource, n *yamltree.Node, at model.Source) {
	at.Setting = "labels"
	tags := make(map[string]string)
	labels := n.At("labels")
	put := func(key, value string) bool {
		if _, _, name := findVariable(interpolated(value)); name != "" {
			model.Tags.SetUnknown(r, "a label is filled in later", at)
			return false
		}
		tags[key[strings.LastIndexByte(key, '.')+1:]] = value
		return true
	}
	for _, l := range labels.List() {
		key, value, _ := strings.Cut(l.String(), "=")
		if !put(key, value) {
			return
		}
	}
	for _, key := range labels.MapKeys() {
		if !put(key, labels.Fields[key].String()) {
			return
		}
	}
	model.Tags.Set(r, tags, at)
}
