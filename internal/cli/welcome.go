package cli

import (
	"fmt"
	"net"

	"github.com/lethe-cache/lethe/internal/config"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/secret"
)

// welcome prints the first user's token, which is stored nowhere, and how to connect with it.
func (s *serving) welcome(env *environment) {
	if s.firstUser == nil {
		return
	}
	host, port := s.listener.Addr().String(), s.listener.Addr().(*net.TCPAddr).Port
	ca, token := s.dir.File(secret.CAFile), s.firstToken.Reveal()
	defer s.firstToken.Clear()
	fmt.Fprintf(env.stdout, `Lethe made a data directory in %[1]s
and a first user, %[2]s, of tenant %[3]s. Its token is shown this once:

  %[4]s

redis-cli (version 6 or later):

  REDISCLI_AUTH=%[4]s redis-cli --tls --cacert %[5]s -p %[6]d --user %[2]s
  > SET %[3]s:patient:12345 hello EX 3600
  > TTL %[3]s:patient:12345

Go (github.com/redis/go-redis/v9):

  pem, _ := os.ReadFile("%[5]s")
  roots := x509.NewCertPool()
  roots.AppendCertsFromPEM(pem)
  client := redis.NewClient(&redis.Options{Addr: "%[7]s", Username: "%[2]s", Password: os.Getenv("REDIS_PASSWORD"),
      TLSConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}})

Spring Boot 3 (application.yml):

  spring:
    ssl:
      bundle:
        pem:
          lethe:
            truststore:
              certificate: "file:%[5]s"
    data:
      redis:
        host: localhost
        port: %[6]d
        username: %[2]s
        password: ${REDIS_PASSWORD}
        ssl:
          bundle: lethe

`, s.dir.Path(), s.firstUser.Name, s.firstUser.Home(), token, ca, port, host)
}

// lookupUser finds a user of the data directory for `lethe policy explain --user`.
func lookupUser(env *environment, set identity.CommandSet) userLookup {
	return func(name string) (home string, tenants []string, err error) {
		path := config.DataDir("", env.getenv)
		dir, err := secret.OpenDir(path)
		if err != nil {
			return "", nil, err
		}
		directory, err := identity.OpenDirectory(dir.File(identity.FileName), set)
		if err != nil {
			return "", nil, err
		}
		user, ok := directory.Lookup(name)
		if !ok {
			return "", nil, identity.ErrNoUser
		}
		return user.Home(), user.Tenants, nil
	}
}
