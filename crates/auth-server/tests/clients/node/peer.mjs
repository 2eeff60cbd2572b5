// What the test tells a program, its way to the browser, and what it tells the test.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { webcrypto } from 'node:crypto'

globalThis.crypto ??= webcrypto // Node 18 hides it.

const env = process.env
export const issuer = new URL(env.AUTH_ISSUER)
export const clientId = env.AUTH_CLIENT_ID
export const clientSecret = env.AUTH_CLIENT_SECRET
export const authMethod = env.AUTH_METHOD
export const redirectUri = env.AUTH_REDIRECT_URI
export const scope = env.AUTH_SCOPE
export const resource = env.AUTH_RESOURCE

/** Opens an address in the browser and answers the one that the person came back to. */
export async function browse(address) {
  console.log(address.href)
  const [back] = await once(createInterface({ input: process.stdin }), 'line')
  process.stdin.destroy()
  return new URL(back)
}

/** The error that the library reports, or nothing if there was none. */
export async function refusal(ErrorType, attempt) {
  try {
    await attempt()
  } catch (error) {
    if (error instanceof ErrorType) return error.error
    throw error
  }
}

export function report(refused, first, second) {
  console.log(JSON.stringify({ refused, first, second }))
}

/** A token, and what was known of it before and after it was given back. */
export function reportLife(tokens, before, after) {
  console.log(JSON.stringify({ tokens, before, after }))
}
