// An OpenID provider for TestRealProvider: npm's oidc-provider, with a client for each role ("billing" has the
// role application) that gets access tokens as JWTs for the audience "lethe". It prints its issuer when it is ready.
import http from 'node:http';
import { createRequire } from 'node:module';

const require = createRequire(process.env.MODULES + '/');
const { Provider } = await import(require.resolve('oidc-provider')).then((m) => ({ Provider: m.Provider ?? m.default }));

const roles = { billing: 'application' };
for (const role of ['application', 'read-only', 'operator', 'auditor', 'privacy-officer']) roles[`jwt-${role}`] = role;

const server = http.createServer((request, response) => callback(request, response));
let callback;
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: Object.keys(roles).map((name) => ({
      client_id: name, client_secret: process.env.CLIENT_SECRET, grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
    })),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'urn:lethe',
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx, resource) => ({
          scope: 'cache', audience: resource.slice('urn:'.length), accessTokenFormat: 'jwt', accessTokenTTL: Number(process.env.TTL ?? 600), jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    extraTokenClaims: (_, token) => ({ lethe_tenants: ['TENANT001'], lethe_roles: [roles[token.clientId]], lethe_purpose: 'treatment' }),
  });
  callback = provider.callback();
  console.log(issuer);
});
