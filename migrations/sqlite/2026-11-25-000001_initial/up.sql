-- Every instant (…_at) is BIGINT, in whole Unix seconds. Every flag is BIGINT, 0 or 1.
-- Every digest is BLOB, the 32 bytes of SHA-256: no secret is stored in a form that can be presented.
-- A scope is TEXT, its tokens in alphabetical order with one space between them; it may be empty. So is an
-- audience, of the URIs of resource servers.
--
-- Rows do not change after they are written, except for columns that are NULL until something happens
-- to the row and are set once, for how often something happened, and for what administration edits.

CREATE TABLE clients (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,                     -- public, confidential
    scope TEXT NOT NULL,
    grant_types TEXT NOT NULL,              -- one space between them
    require_pkce BIGINT NOT NULL,
    auth_method TEXT,
    rotate_refresh_tokens BIGINT NOT NULL,
    resource_server TEXT,                   -- the URI of the API whose credentials these are
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);

CREATE TABLE client_redirect_uris (
    client_id TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,               -- the order in which they were registered
    uri TEXT NOT NULL,
    PRIMARY KEY (client_id, position)
);

CREATE TABLE client_secrets (
    client_id TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    id TEXT NOT NULL,                       -- public
    ordinal BIGINT NOT NULL,                -- a newer secret has a higher one
    secret_digest BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (client_id, id)
);

CREATE TABLE owners (
    subject TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL,                 -- as its owner writes it
    username_key TEXT NOT NULL UNIQUE,      -- as it is compared
    name TEXT,
    email TEXT,
    role TEXT NOT NULL,                     -- admin, developer, user
    password_hash TEXT NOT NULL,            -- a PHC string
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);

CREATE TABLE sessions (
    session_digest BLOB NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,                -- public
    subject TEXT NOT NULL REFERENCES owners (subject) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL            -- only ever grows
);
CREATE INDEX sessions_by_subject ON sessions (subject);
CREATE INDEX sessions_by_created_at ON sessions (created_at);
CREATE INDEX sessions_by_last_seen_at ON sessions (last_seen_at);

CREATE TABLE pending_authorizations (
    interaction_digest BLOB NOT NULL PRIMARY KEY,
    browser_digest BLOB NOT NULL,
    origin TEXT NOT NULL,                   -- a network address
    ordinal BIGINT NOT NULL,                -- counts the requests of one origin in order of arrival
    client_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    redirect_uri_sent BIGINT NOT NULL,
    scope TEXT NOT NULL,
    audience TEXT NOT NULL,
    state BLOB,                             -- any text, NUL included, which PostgreSQL has no TEXT for
    code_challenge TEXT,
    prompt TEXT NOT NULL,                   -- values with one space between them; may be empty
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    signed_in BLOB,                         -- the digest of the session that was started for it
    decided_at BIGINT
);
CREATE UNIQUE INDEX pending_authorizations_by_origin ON pending_authorizations (origin, ordinal);
CREATE INDEX pending_authorizations_by_expires_at ON pending_authorizations (expires_at);

CREATE TABLE consents (
    subject TEXT NOT NULL,
    client_id TEXT NOT NULL,
    audience TEXT NOT NULL,                 -- what was approved at one is not approved at another
    scope TEXT NOT NULL,                    -- everything that was approved there and not withdrawn
    given_at BIGINT NOT NULL,
    PRIMARY KEY (subject, client_id, audience)
);
CREATE INDEX consents_by_client_id ON consents (client_id);

-- A grant's id is BLOB: 6 bytes of time in milliseconds and 10 random ones, so that new rows lie together. Codes
-- and tokens name their grant themselves, and stand under its id: whatever a request is about is found by
-- primary keys, on few pages.

CREATE TABLE grants (
    id BLOB NOT NULL PRIMARY KEY,           -- public
    subject TEXT,                           -- NULL: the client acts for itself
    client_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    audience TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,                      -- NULL: no cap
    revoked_at BIGINT                       -- from then on no code or token of this grant is valid
) WITHOUT ROWID;
CREATE INDEX grants_by_subject ON grants (subject, client_id);
CREATE INDEX grants_by_client_id ON grants (client_id);

CREATE TABLE codes (
    grant_id BLOB NOT NULL REFERENCES grants (id),
    code_digest BLOB NOT NULL,
    client_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    redirect_uri_sent BIGINT NOT NULL,
    code_challenge TEXT,                    -- S256
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    redeemed_at BIGINT,                     -- set by the one redemption that wins
    PRIMARY KEY (grant_id, code_digest)
) WITHOUT ROWID;
CREATE INDEX codes_by_expires_at ON codes (expires_at);

CREATE TABLE tokens (
    grant_id BLOB NOT NULL REFERENCES grants (id),
    token_digest BLOB NOT NULL,
    kind TEXT NOT NULL,                     -- access, refresh
    scope TEXT,                             -- NULL: its grant's, for a refresh token
    audience TEXT,                          -- likewise
    parent_digest BLOB,                     -- the refresh token it succeeds; that row may be purged before it
    ordinal BIGINT NOT NULL,                -- grows from one successor of a refresh token to the next
    uses BIGINT NOT NULL,                   -- how often it was presented for new tokens
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    spent_at BIGINT,                        -- from then on presenting a refresh token is a replay, and an
                                            -- access token is unknown
    PRIMARY KEY (grant_id, token_digest)
) WITHOUT ROWID;
CREATE INDEX tokens_by_expires_at ON tokens (expires_at);

-- Which programs may use this database: those that know the greatest version here. A migration that takes
-- away what older programs need adds a row; others leave them running.
CREATE TABLE schema_floor (
    version TEXT NOT NULL PRIMARY KEY
);
INSERT INTO schema_floor VALUES ('20261125000001');
