package kubernetes

import (
	"path"
	"slices"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/osv"
)

// image is a container image by name.
type image struct {
	repository string // bitnami/redis
	tag        string // "" if there is none
	digest     bool
}

func parseImage(s string) image {
	var i image
	s, _, i.digest = strings.Cut(s, "@")
	i.repository = s
	if colon := strings.LastIndexByte(s, ':'); colon > strings.LastIndexByte(s, '/') {
		i.repository, i.tag = s[:colon], s[colon+1:]
	}
	return i
}

// engine is what the image runs, or "". Tools that only talk to servers are none.
func (i image) engine() string {
	name := strings.ToLower(path.Base(i.repository))
	for _, tool := range []string{"exporter", "insight", "commander", "sentinel", "operator", "-ui", "-cli", "proxy", "benchmark", "twemproxy", "admin"} {
		if strings.Contains(name, tool) {
			return ""
		}
	}
	for _, engine := range []string{"valkey", "keydb", "dragonfly", "redis", "lethe"} {
		if name == engine || strings.HasPrefix(name, engine+"-") || strings.HasPrefix(name, engine+"_") || strings.HasSuffix(name, "-"+engine) {
			return engine
		}
	}
	return ""
}

// isOfficial says whether it is the Docker Official Image or Valkey's own, which switch protected mode off.
func (i image) isOfficial() bool {
	r := strings.TrimPrefix(strings.TrimPrefix(i.repository, "docker.io/"), "library/")
	return r == "redis" || r == "valkey/valkey"
}

func (i image) isBitnami() bool { return strings.Contains(i.repository, "bitnami") }

// version sets the engine's version as the tag tells it.
func (i image) version(r *model.Resource, at model.Source) {
	number, _, _ := strings.Cut(i.tag, "-")
	switch {
	case strings.Contains(i.tag, "$") || strings.Contains(i.repository, "$"):
		model.EngineVersion.SetUnknown(r, "the image's tag is filled in later", at)
	case i.tag == "" && i.digest:
		model.EngineVersion.SetUnknown(r, "the image has a digest and no tag", at)
	case i.tag == "":
		model.EngineVersion.SetUnknown(r, "the image has no tag", at)
	default:
		if _, err := osv.ParseVersion(number); err != nil {
			model.EngineVersion.SetUnknown(r, "the image's tag is no version", at)
			return
		}
		model.EngineVersion.Set(r, strings.TrimPrefix(number, "v"), at)
	}
}

// serverBinaries are the programs that take a server's arguments.
func serverBinaries() []string {
	return []string{"redis-server", "valkey-server", "keydb-server", "dragonfly", "redis-stack-server"}
}

func isServer(word string) bool { return slices.Contains(serverBinaries(), path.Base(word)) }
