// The code flow with openid-client, as a plain OAuth client.
//
// META-01, META-03: the metadata is found from the issuer alone, and names it.
// CODE-01, CODE-02: the answer names the issuer that was asked.
// PKCE-05, CODE-10: the code is refused with another verifier, and still good with its own.
// CAUTH-01: with Basic or with the secret in the body, as it is told.
import * as openid from 'openid-client'
import {
  authMethod, browse, clientId, clientSecret, issuer, redirectUri, refusal, report, scope,
} from './peer.mjs'

const authentication = {
  none: () => openid.None(),
  client_secret_basic: () => openid.ClientSecretBasic(clientSecret),
  client_secret_post: () => openid.ClientSecretPost(clientSecret),
}[authMethod]()
const server = await openid.discovery(issuer, clientId, undefined, authentication, {
  algorithm: 'oauth2',
  execute: [openid.allowInsecureRequests], // http, on loopback
})

const expectedState = openid.randomState()
const verifier = openid.randomPKCECodeVerifier()
const back = await browse(openid.buildAuthorizationUrl(server, {
  redirect_uri: redirectUri,
  scope,
  state: expectedState,
  code_challenge: await openid.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
}))

function redeem(pkceCodeVerifier) {
  return openid.authorizationCodeGrant(server, back, { pkceCodeVerifier, expectedState })
}

const wrong = openid.randomPKCECodeVerifier()
const refused = await refusal(openid.ResponseBodyError, () => redeem(wrong))
const tokens = await redeem(verifier)
report(refused, tokens, await openid.refreshTokenGrant(server, tokens.refresh_token))
