// Package kubernetes finds Redis, Valkey, KeyDB and Dragonfly in manifests of Kubernetes, in what `helm template` and
// `kustomize build` print, and in docker-compose files, and says how they are configured.
//
// It is for what the files say. It asks no cluster and no registry and renders no template.
//
// The invariant that it keeps: a setting is known only if the place that it comes from (arguments, environment, ConfigMap,
// Secret, mounted file, the image's documented default) was read. A container that starts by a script of its own hides its
// settings, and they are unknown.
//
// Package scan calls Is and Read for manifests, IsCompose and ReadCompose for compose files.
package kubernetes
