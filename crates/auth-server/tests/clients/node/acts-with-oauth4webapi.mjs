// A client that acts for itself, with oauth4webapi. It reads every answer strictly.
//
// CC-01, RES-04: a token for one API, and nothing to refresh it with.
// INTRO-03, REVOKE-05: what is known of the token, before and after it was given back.
import * as oauth from 'oauth4webapi'
import { authMethod, clientId, clientSecret, issuer, reportLife, resource, scope } from './peer.mjs'

const options = { [oauth.allowInsecureRequests]: true } // http, on loopback
const discovered = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options })
const server = await oauth.processDiscoveryResponse(issuer, discovered)
const client = { client_id: clientId }
const authentication = {
  client_secret_basic: () => oauth.ClientSecretBasic(clientSecret),
  client_secret_post: () => oauth.ClientSecretPost(clientSecret),
}[authMethod]()

const parameters = new URLSearchParams({ scope, resource })
const granted = await oauth.clientCredentialsGrantRequest(
  server, client, authentication, parameters, options,
)
const tokens = await oauth.processClientCredentialsResponse(server, client, granted)

async function introspect() {
  const response = await oauth.introspectionRequest(
    server, client, authentication, tokens.access_token, options,
  )
  return oauth.processIntrospectionResponse(server, client, response)
}

const before = await introspect()
const revoked = await oauth.revocationRequest(
  server, client, authentication, tokens.access_token, options,
)
await oauth.processRevocationResponse(revoked)
reportLife(tokens, before, await introspect())
