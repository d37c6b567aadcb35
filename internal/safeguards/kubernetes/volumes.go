package kubernetes

import (
	"path"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/yamltree"
)

// mount finds the volume that holds a path in a container, and the rest of the path inside of it.
func mount(pod, n *yamltree.Node, name string) (volume *yamltree.Node, rest string) {
	longest := -1
	for _, m := range n.At("volumeMounts").List() {
		at := path.Clean(m.At("mountPath").String())
		inside := name == at || strings.HasPrefix(name, strings.TrimSuffix(at, "/")+"/")
		if !inside || len(at) <= longest {
			continue
		}
		longest = len(at)
		rest = strings.TrimPrefix(strings.TrimPrefix(name, at), "/")
		if sub := m.At("subPath").String(); sub != "" {
			rest = path.Join(sub, rest)
		}
		volume = nil
		for _, v := range pod.At("spec", "volumes").List() {
			if v.At("name").String() == m.At("name").String() {
				volume = v
			}
		}
		if volume == nil { // of a StatefulSet's claim templates, or missing
			volume = m
		}
	}
	return volume, rest
}

// mounted returns a file that comes from a ConfigMap or a Secret of the scan.
func (c *cluster) mounted(o Manifest, pod, n *yamltree.Node, name string) (src []byte, called string, ok bool) {
	v, rest := mount(pod, n, path.Clean(name))
	if v == nil {
		return nil, "", false
	}
	kind, object, source := "ConfigMap", v.At("configMap", "name").String(), v.At("configMap")
	if object == "" {
		kind, object, source = "Secret", v.At("secret", "secretName").String(), v.At("secret")
	}
	if object == "" {
		return nil, "", false
	}
	key := rest
	for _, item := range source.At("items").List() {
		if item.At("path").String() == rest {
			key = item.At("key").String()
		}
	}
	m, found := c.find(o, kind, object)
	if !found {
		return nil, "", false
	}
	if kind == "Secret" {
		src, ok = secretData(m.Doc)[key]
		return src, m.File, ok
	}
	text := m.Doc.At("data", key)
	if text == nil {
		return nil, "", false
	}
	return []byte(text.String()), m.File, true
}

// disk says whether the volume of the data is encrypted, as far as volumes and storage classes tell.
func (c *cluster) disk(r *model.Resource, o Manifest, pod, n *yamltree.Node) {
	at := model.Source{File: o.File, Line: n.Line, Setting: "volumeMounts"}
	var v *yamltree.Node
	for _, dir := range []string{"/data", "/bitnami/redis/data", "/bitnami/valkey/data", "/bitnami"} {
		if v == nil {
			v, _ = mount(pod, n, dir)
		}
	}
	switch {
	case v == nil:
		model.DiskEncrypted.SetUnknown(r, "the data is on the node's disk", at)
		return
	case v.At("emptyDir", "medium").String() == "Memory":
		model.DiskEncrypted.Set(r, true, at)
		return
	case v.At("emptyDir") != nil || v.At("hostPath") != nil:
		model.DiskEncrypted.SetUnknown(r, "the data is on the node's disk", at)
		return
	}
	claim := c.claim(o, v)
	class := claim.At("spec", "storageClassName").String()
	m, ok := c.find(o, "StorageClass", class)
	encrypted := m.Doc.At("parameters", "encrypted")
	switch {
	case claim == nil:
		model.DiskEncrypted.SetUnknown(r, "its volume's claim is not among what is scanned", at)
	case !ok:
		model.DiskEncrypted.SetUnknown(r, "its storage class is not among what is scanned", at)
	case encrypted == nil:
		model.DiskEncrypted.SetUnknown(r, "its storage class does not say whether volumes are encrypted", at)
	default:
		yes, _ := encrypted.Bool()
		model.DiskEncrypted.Set(r, yes, model.Source{File: m.File, Line: encrypted.Line, Setting: "parameters.encrypted"})
	}
}

func (c *cluster) claim(o Manifest, v *yamltree.Node) *yamltree.Node {
	name := v.At("name").String()
	for _, t := range o.Doc.At("spec", "volumeClaimTemplates").List() {
		if t.At("metadata", "name").String() == name {
			return t
		}
	}
	if m, ok := c.find(o, "PersistentVolumeClaim", v.At("persistentVolumeClaim", "claimName").String()); ok {
		return m.Doc
	}
	return nil
}

// published lists the ways from outside the cluster to the server's ports.
func (c *cluster) published(r *model.Resource, o Manifest, pod, n *yamltree.Node) {
	at := model.Source{File: o.File, Line: n.Line, Setting: "ports"}
	out := []string{}
	if host, _ := pod.At("spec", "hostNetwork").Bool(); host {
		out = append(out, "the pod is in the host's network")
	}
	for _, p := range n.At("ports").List() {
		if !p.At("hostPort").IsNull() {
			out = append(out, "port "+p.At("hostPort").String()+" of the host")
			at.Line = p.Line
		}
	}
	labels := pod.At("metadata", "labels")
	for _, s := range c.objects {
		kind := s.Doc.At("spec", "type").String()
		open := kind == "LoadBalancer" || kind == "NodePort" || len(s.Doc.At("spec", "externalIPs").List()) > 0
		if s.Doc.At("kind").String() == "Service" && open && namespace(s.Doc) == namespace(o.Doc) && selects(s.Doc.At("spec", "selector"), labels) {
			out = append(out, "the Service "+s.Doc.At("metadata", "name").String()+" of type "+kind)
			at = model.Source{File: s.File, Line: s.Doc.At("spec").LineNumber(), Setting: "spec.type"}
		}
	}
	model.Published.Set(r, out, at)
}

func selects(selector, labels *yamltree.Node) bool {
	for _, k := range selector.MapKeys() {
		if labels.At(k).String() != selector.At(k).String() {
			return false
		}
	}
	return len(selector.MapKeys()) > 0
}

func (c *cluster) labels(r *model.Resource, o Manifest, pod *yamltree.Node) {
	tags := make(map[string]string)
	at := model.Source{File: o.File, Line: o.Doc.Line, Setting: "metadata.labels"}
	for _, labels := range []*yamltree.Node{pod.At("metadata", "labels"), o.Doc.At("metadata", "labels"), o.Doc.At("metadata", "annotations")} {
		for _, k := range labels.MapKeys() {
			if strings.Contains(labels.At(k).String(), "$") {
				model.Tags.SetUnknown(r, "a label is filled in later", at)
				return
			}
			tags[path.Base(k)] = labels.At(k).String() // a prefix says whose label it is
		}
	}
	model.Tags.Set(r, tags, at)
}
