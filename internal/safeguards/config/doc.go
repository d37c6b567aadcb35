// Package config reads redis.conf, valkey.conf, sentinel.conf and ACL files, and says what a server with such settings is
// like. Readers of manifests and of running servers bring the same settings from arguments, ConfigMaps and CONFIG GET, and
// use the same facts.
//
// It is for settings, not for judging them, and starts nothing.
//
// The invariant that it keeps: the last setting wins, as in the server itself. What a placeholder, a missing include or a
// value that cannot be understood leaves open is unknown, and with an include that cannot be read everything before it is,
// since the include may have said otherwise. Values of secrets leave this package only as model.Token.
//
// Package scan calls Read, ReadSentinel and ReadACL; packages kubernetes, compose and live call Parse and Facts.
package config
