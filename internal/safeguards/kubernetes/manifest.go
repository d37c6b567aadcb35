package kubernetes

import (
	"encoding/base64"
	"path"
	"slices"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/config"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/yamltree"
)

// Manifest is one document of a file.
type Manifest struct {
	File string
	Doc  *yamltree.Node
}

// Is says whether a document is a Kubernetes object.
func Is(doc *yamltree.Node) bool {
	return doc.At("apiVersion").String() != "" && doc.At("kind").String() != ""
}

// Read makes resources of all manifests of a scan together: a workload's ConfigMap, Service and StorageClass may be in
// other files.
func Read(all []Manifest) ([]*model.Resource, []config.Problem) {
	c := &cluster{}
	for _, m := range all {
		c.add(m, 0)
	}
	var resources []*model.Resource
	var problems []config.Problem
	for _, o := range c.objects {
		pod := podOf(o.Doc)
		if pod == nil {
			continue
		}
		for _, n := range append(slices.Clone(pod.At("spec", "containers").List()), pod.At("spec", "initContainers").List()...) {
			if n.At("restartPolicy").String() == "" && slices.Contains(pod.At("spec", "initContainers").List(), n) {
				continue // an init container that ends before the pod works
			}
			r, more := c.container(o, pod, n)
			problems = append(problems, more...)
			if r != nil {
				resources = append(resources, r)
			}
		}
	}
	return resources, problems
}

// cluster is the objects of a scan.
type cluster struct{ objects []Manifest }

// add takes an object, or the items of a List.
func (c *cluster) add(m Manifest, depth int) {
	if m.Doc.At("kind").String() == "List" && depth < 4 {
		for _, item := range m.Doc.At("items").List() {
			c.add(Manifest{m.File, item}, depth+1)
		}
		return
	}
	if Is(m.Doc) {
		c.objects = append(c.objects, m)
	}
}

// podOf returns the pod, or the template of pods, of a workload.
func podOf(doc *yamltree.Node) *yamltree.Node {
	switch doc.At("kind").String() {
	case "Pod":
		return doc
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job":
		return doc.At("spec", "template")
	case "CronJob":
		return doc.At("spec", "jobTemplate", "spec", "template")
	}
	return nil
}

func namespace(doc *yamltree.Node) string {
	if ns := doc.At("metadata", "namespace").String(); ns != "" {
		return ns
	}
	return "default"
}

// find returns the object that a workload means: one in the same file before one in the same directory before one
// anywhere. Several that are as near are none, since overlays give the same name to different content.
func (c *cluster) find(from Manifest, kind, name string) (found Manifest, ok bool) {
	best, several := 0, false
	for _, o := range c.objects {
		if o.Doc.At("kind").String() != kind || o.Doc.At("metadata", "name").String() != name ||
			(kind != "StorageClass" && namespace(o.Doc) != namespace(from.Doc)) {
			continue
		}
		near := 1
		if path.Dir(o.File) == path.Dir(from.File) {
			near = 2
		}
		if o.File == from.File {
			near = 3
		}
		if near > best {
			found, best, several = o, near, false
		} else if near == best {
			several = true
		}
	}
	return found, best > 0 && !several
}

// container makes a resource of a container that runs a cache.
func (c *cluster) container(o Manifest, pod, n *yamltree.Node) (*model.Resource, []config.Problem) {
	at := model.Source{File: o.File, Line: n.Line, Column: n.Column, Setting: "image"}
	box := &container{
		image: parseImage(n.At("image").String()), command: texts(n.At("command")), args: texts(n.At("args")), at: at,
		env: c.environment(o, n),
		file: func(name string) ([]byte, string, bool) {
			return c.mounted(o, pod, n, name)
		},
	}
	if !box.isCache() {
		return nil, nil
	}
	name := namespace(o.Doc) + "/" + o.Doc.At("kind").String() + "/" + o.Doc.At("metadata", "name").String() + "/" + n.At("name").String()
	declaredAt := at
	declaredAt.Setting = ""
	r := model.NewResource(model.ID{Target: model.Kubernetes, Kind: model.Server, Name: o.File + ":" + name}, declaredAt)
	problems := box.facts(r)
	c.published(r, o, pod, n)
	c.labels(r, o, pod)
	c.disk(r, o, pod, n)
	return r, problems
}

func texts(n *yamltree.Node) []string {
	var all []string
	for _, i := range n.List() {
		all = append(all, i.String())
	}
	return all
}

// environment resolves what the manifest says and what ConfigMaps of the scan hold.
func (c *cluster) environment(o Manifest, n *yamltree.Node) map[string]variable {
	env := make(map[string]variable)
	for _, from := range n.At("envFrom").List() {
		at := model.Source{File: o.File, Line: from.Line}
		if m, ok := c.find(o, "ConfigMap", from.At("configMapRef", "name").String()); ok {
			for _, k := range m.Doc.At("data").MapKeys() {
				env[k] = variable{text: m.Doc.At("data", k).String(), at: model.Source{File: m.File, Line: m.Doc.At("data", k).Line}}
			}
		}
		if m, ok := c.find(o, "Secret", from.At("secretRef", "name").String()); ok {
			for k, v := range secretData(m.Doc) {
				env[k] = variable{text: string(v), at: at}
			}
		}
	}
	for _, e := range n.At("env").List() {
		at := model.Source{File: o.File, Line: e.Line, Column: e.Column}
		v := variable{text: e.At("value").String(), at: at}
		from := e.At("valueFrom")
		switch {
		case !from.At("secretKeyRef").IsNull():
			v = c.secretKey(o, from.At("secretKeyRef"), at)
		case !from.At("configMapKeyRef").IsNull():
			ref := from.At("configMapKeyRef")
			m, ok := c.find(o, "ConfigMap", ref.At("name").String())
			if text := m.Doc.At("data", ref.At("key").String()); ok && text != nil {
				v.text = text.String()
			} else {
				v.why = "its ConfigMap is not among what is scanned"
			}
		case !from.IsNull():
			v.why = "it is filled in when the pod starts"
		}
		env[e.At("name").String()] = v
	}
	return env
}

// secretKey: a Secret that stands in the repository is a literal.
func (c *cluster) secretKey(o Manifest, ref *yamltree.Node, at model.Source) variable {
	if m, ok := c.find(o, "Secret", ref.At("name").String()); ok {
		if v, has := secretData(m.Doc)[ref.At("key").String()]; has && len(v) > 0 {
			return variable{text: string(v), at: model.Source{File: m.File, Line: m.Doc.Line}}
		}
	}
	if optional, _ := ref.At("optional").Bool(); optional {
		return variable{why: "its secret is optional", at: at}
	}
	return variable{origin: "reference", at: at}
}

func secretData(doc *yamltree.Node) map[string][]byte {
	all := make(map[string][]byte)
	for _, k := range doc.At("data").MapKeys() {
		if v, err := base64.StdEncoding.DecodeString(strings.TrimSpace(doc.At("data", k).String())); err == nil {
			all[k] = v
		}
	}
	for _, k := range doc.At("stringData").MapKeys() {
		all[k] = []byte(doc.At("stringData", k).String())
	}
	return all
}
