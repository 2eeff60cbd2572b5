// A client that acts for itself, with openid-client.
//
// CC-01, RES-04: a token for one API, and nothing to refresh it with.
// INTRO-03, REVOKE-05: what is known of the token, before and after it was given back.
import * as openid from 'openid-client'
import { authMethod, clientId, clientSecret, issuer, reportLife, resource, scope } from './peer.mjs'

const authentication = {
  client_secret_basic: () => openid.ClientSecretBasic(clientSecret),
  client_secret_post: () => openid.ClientSecretPost(clientSecret),
}[authMethod]()
const server = await openid.discovery(issuer, clientId, undefined, authentication, {
  algorithm: 'oauth2',
  execute: [openid.allowInsecureRequests], // http, on loopback
})

const tokens = await openid.clientCredentialsGrant(server, { scope, resource })
const before = await openid.tokenIntrospection(server, tokens.access_token)
await openid.tokenRevocation(server, tokens.access_token)
reportLife(tokens, before, await openid.tokenIntrospection(server, tokens.access_token))
