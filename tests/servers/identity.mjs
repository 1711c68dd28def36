// A provider of identities (oidc-provider from npm), and an API that takes its tokens. The first argument is the
// module of oidc-provider; the port that it has chosen is in the line that it prints.
//
//   /oauth2/token                      gives tokens: client_credentials, refresh_token, and password for ada
//   /oauth2/revoke                     takes them back (RFC 7009)
//   /.well-known/openid-configuration  says so
//   /api/…                             answers with who is calling, or 401; the count says how often a token was given
//   /forget                            takes back every token that the API has been called with
//   /v2/pet/…                          a pet, to who has a token
//
// Below /realms/fake-authority is the authority of the specification's examples, which knows itself as
// http://keycloak/realms/fake-authority.
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const { Provider, errors } = await import(pathToFileURL(process.argv[2]));

const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const client = (id, method, more = {}) => ({
  client_id: id,
  client_secret: 'correct/horse+battery staple, which is long enough',
  grant_types: ['client_credentials', 'password', 'refresh_token'],
  redirect_uris: [],
  response_types: [],
  token_endpoint_auth_method: method,
  ...more,
});

const features = {
  clientCredentials: { enabled: true },
  devInteractions: { enabled: false },
  introspection: { enabled: true },
  revocation: { enabled: true },
};

const provider = new Provider(issuer, {
  clients: [
    client('by-basic', 'client_secret_basic', { client_secret: 'correct-horse-battery-staple-which-is-long-enough' }),
    client('by-post', 'client_secret_post'),
    client('by-jwt', 'client_secret_jwt', { token_endpoint_auth_signing_alg: 'HS256' }),
  ],
  features,
  routes: { token: '/oauth2/token', revocation: '/oauth2/revoke', introspection: '/oauth2/introspect' },
  scopes: ['openid', 'offline_access', 'pets:read'],
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  rotateRefreshToken: false,
  ttl: { AccessToken: 3600, ClientCredentials: 600, Grant: 3600, RefreshToken: 3600 },
});

const REALM = '/realms/fake-authority';
const realm = new Provider(`http://keycloak${REALM}`, {
  clients: [client('workflow-runtime-id', 'client_secret_post', {
    client_secret: 'workflow-runtime-secret', grant_types: ['client_credentials'],
  })],
  features,
  routes: { token: '/auth/token', introspection: '/auth/introspect' },
});

// The grant `password` of RFC 6749, which the provider leaves to whoever wants it.
provider.registerGrantType('password', async (context) => {
  const { params, client: of } = context.oidc;
  if (params.username !== 'ada' || params.password !== 'open sesame') {
    throw new errors.InvalidGrant('no such user');
  }
  const grant = new provider.Grant({ clientId: of.clientId, accountId: params.username });
  grant.addOIDCScope('openid offline_access');
  const grantId = await grant.save();
  const shared = { accountId: params.username, client: of, grantId, gty: 'password', scope: 'openid offline_access' };
  const access = await new provider.AccessToken(shared).save();
  const refresh = await new provider.RefreshToken({ ...shared, authTime: Math.floor(Date.now() / 1000) }).save();
  context.body = { access_token: access, refresh_token: refresh, token_type: 'Bearer', expires_in: 3600 };
}, ['username', 'password', 'scope']);

for (const it of [provider, realm]) it.on('server_error', (_, error) => console.error(error));

const seen = new Map();
let given = 0;
provider.on('grant.success', () => { given += 1; });

async function caller(request) {
  const token = request.headers.authorization?.match(/^Bearer (.+)$/)?.[1];
  if (!token) return undefined;
  const found = (await provider.ClientCredentials.find(token)) ?? (await provider.AccessToken.find(token))
    ?? (await realm.ClientCredentials.find(token));
  if (!found || found.isExpired) return undefined;
  seen.set(token, found);
  return { token, client: found.clientId, user: found.accountId, scope: found.scope };
}

async function forget() {
  for (const token of seen.values()) await token.destroy();
  seen.clear();
}

const oidc = provider.callback();
const ofRealm = realm.callback();
server.on('request', async (request, response) => {
  if (request.url.startsWith(`${REALM}/`)) {
    // The provider finds out from both where it is mounted.
    request.originalUrl = request.url;
    request.url = request.url.slice(REALM.length);
    return ofRealm(request, response);
  }
  const isPet = request.url.startsWith('/v2/pet/');
  const isForget = request.url === '/forget';
  if (!isPet && !isForget && !request.url.startsWith('/api/')) return oidc(request, response);
  if (isForget) await forget();
  const who = isForget ? {} : await caller(request);
  const answer = isPet ? { id: 1, name: 'milou' } : { ...who, count: given };
  response.writeHead(who ? 200 : 401, { 'content-type': 'application/json' });
  response.end(JSON.stringify(who ? answer : { error: 'invalid_token' }));
});

console.log(`ready ${server.address().port}`);
