// The code flow with oauth4webapi, for one client. It reads every answer strictly.
//
// META-01, META-03: the metadata is found from the issuer alone, and names it.
// CODE-01, CODE-02: the answer names the issuer that was asked.
// PKCE-05, CODE-10: the code is refused with another verifier, and still good with its own.
// CAUTH-01: with Basic or with the secret in the body, as it is told.
import * as oauth from 'oauth4webapi'
import {
  authMethod, browse, clientId, clientSecret, issuer, redirectUri, refusal, report, scope,
} from './peer.mjs'

const options = { [oauth.allowInsecureRequests]: true } // http, on loopback
const discovered = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options })
const server = await oauth.processDiscoveryResponse(issuer, discovered)

const client = { client_id: clientId }
const authentication = {
  none: () => oauth.None(),
  client_secret_basic: () => oauth.ClientSecretBasic(clientSecret),
  client_secret_post: () => oauth.ClientSecretPost(clientSecret),
}[authMethod]()
const state = oauth.generateRandomState()
const verifier = oauth.generateRandomCodeVerifier()

const address = new URL(server.authorization_endpoint)
address.search = new URLSearchParams({
  response_type: 'code',
  client_id: clientId,
  redirect_uri: redirectUri,
  scope,
  state,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
})
const answer = oauth.validateAuthResponse(server, client, await browse(address), state)

async function redeem(verifier) {
  const response = await oauth.authorizationCodeGrantRequest(
    server, client, authentication, answer, redirectUri, verifier, options,
  )
  return oauth.processAuthorizationCodeResponse(server, client, response)
}

async function refresh(token) {
  const response = await oauth.refreshTokenGrantRequest(server, client, authentication, token, options)
  return oauth.processRefreshTokenResponse(server, client, response)
}

const wrong = oauth.generateRandomCodeVerifier()
const refused = await refusal(oauth.ResponseBodyError, () => redeem(wrong))
const tokens = await redeem(verifier)
report(refused, tokens, await refresh(tokens.refresh_token))
